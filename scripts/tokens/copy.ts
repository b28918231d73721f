import { cpSync } from 'node:fs';
import { DATA_DIRECTORY, ROOT } from './artefacts.ts';
import { join } from 'node:path';

/** Copies the data files next to the built engine, since tsc does not copy them. */
cpSync(DATA_DIRECTORY, join(ROOT, 'dist/src/tokens/engine/data'), { recursive: true });
