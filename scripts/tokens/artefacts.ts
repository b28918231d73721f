import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILT_IN } from '../../src/tokens/engine/artefacts.ts';
import { buildClassTable } from './class-table.ts';
import { buildVocabulary } from './vocabulary-blob.ts';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

export const DATA_DIRECTORY: string = join(ROOT, 'src/tokens/engine/data');

const OPTIONS: readonly string[] = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--converge',
  '--enable',
  'simd',
];

export interface Artefact {
  readonly file: string;
  /** Uncompressed contents. Compressed output may differ between Node versions. */
  readonly bytes: Uint8Array;
  readonly compressed: boolean;
}

/** Rebuilds the contents of `src/tokens/engine/data`. */
export function* makeArtefacts(): Generator<Artefact> {
  yield { file: 'engine.wasm', bytes: compileEngine(), compressed: false };
  yield { file: 'classes.deflate', bytes: buildClassTable(), compressed: true };
  for (const name of BUILT_IN) {
    yield { file: `${name}.deflate`, bytes: buildVocabulary(name), compressed: true };
  }
}

function compileEngine(): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'token-engine-'));
  const out = join(directory, 'engine.wasm');
  try {
    execFileSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/assemblyscript/bin/asc.js'),
        'src/tokens/engine/assembly/index.ts',
        '-o',
        out,
        ...OPTIONS,
      ],
      { cwd: ROOT, stdio: 'inherit' },
    );
    return readFileSync(out);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
