import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { DATA_DIRECTORY, makeArtefacts } from './artefacts.ts';

mkdirSync(DATA_DIRECTORY, { recursive: true });
for (const { file, bytes, compressed } of makeArtefacts()) {
  const contents = compressed ? compress(bytes) : bytes;
  writeFileSync(join(DATA_DIRECTORY, file), contents);
  console.log(`${file}: ${bytes.length} bytes, ${contents.length} written`);
}

function compress(bytes: Uint8Array): Uint8Array {
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}
