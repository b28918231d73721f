import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { DATA_DIRECTORY, makeArtefacts } from './artefacts.ts';

/** Checks that the committed engine and tables match the sources and tiktoken's data. */
let differing = 0;
for (const { file, bytes, compressed } of makeArtefacts()) {
  const committed = readFileSync(join(DATA_DIRECTORY, file));
  const same = Buffer.compare(compressed ? inflateRawSync(committed) : committed, bytes) === 0;
  if (!same) differing++;
  console.log(`${file}: ${same ? 'as built' : 'DIFFERS'}`);
}
if (differing > 0) {
  console.error('Run `npm run build:tables` and commit src/tokens/engine/data.');
  process.exitCode = 1;
}
