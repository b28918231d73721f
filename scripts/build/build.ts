import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DATA_DIRECTORY } from '../tokens/artefacts.ts';
import { bundle } from './bundle.ts';
import { ROOT } from './entries.ts';
import { writeLicenses } from './licenses.ts';
import { pruneDeclarations } from './declarations.ts';

const DIST = join(ROOT, 'dist');

rmSync(DIST, { recursive: true, force: true });
execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
pruneDeclarations(join(DIST, 'types'));
const { inputs } = await bundle(DIST);
writeLicenses(inputs, join(DIST, 'LICENSES.txt'));
cpSync(DATA_DIRECTORY, join(DIST, 'data'), { recursive: true });
