import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import { DATA_DIRECTORY, makeArtefacts } from './artefacts.ts';

mkdirSync(DATA_DIRECTORY, { recursive: true });
for (const { file, bytes, compressed } of makeArtefacts()) {
  const contents = compressed ? compress(bytes) : bytes;
  writeFileSync(join(DATA_DIRECTORY, file), contents);
  console.log(`${file}: ${bytes.length} bytes, ${contents.length} written`);
}

function compress(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { level: constants.Z_BEST_COMPRESSION, memLevel: 9 });
}
