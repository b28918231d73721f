import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BUILT_IN } from '../../src/tokens/engine/artefacts.ts';
import { counterFor } from '../../src/tokens/encodings.ts';
import { loadTiktokenCounter } from '../../src/tokens/tiktoken-counter.ts';
import { printable, RandomTexts } from '../../test/support/random-texts.ts';

const HELP = `Usage: npm run fuzz:tokens -- [--n N] [--seed S] [--encoding NAME]... [FILE]...

Compares the token engine with tiktoken's encode_ordinary on N generated strings an encoding
(default 20000), and on each FILE in slices. Prints each difference; exits 1 when there is one.
`;
const SLICE = 3000;
const MAX_SHOWN = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    encoding: { type: 'string', multiple: true, default: [...BUILT_IN] },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const strings = Number(values.n);
const seed = Number(values.seed);

if (values.help) {
  console.log(HELP);
} else if (!Number.isSafeInteger(strings) || strings < 0 || !Number.isSafeInteger(seed)) {
  console.error(
    `--n and --seed must be whole numbers, got ${values.n} and ${values.seed}\n\n${HELP}`,
  );
  process.exitCode = 2;
} else {
  console.log(`seed ${seed}`);
  for (const encoding of values.encoding) if (compare(encoding) > 0) process.exitCode = 1;
}

function compare(encoding: string): number {
  const engine = counterFor(encoding);
  const oracle = loadTiktokenCounter(encoding);
  let compared = 0;
  let characters = 0;
  let differing = 0;
  let printedAt = Date.now();
  for (const text of texts(encoding)) {
    const counted = engine.count(text);
    const expected = oracle.count(text);
    compared++;
    characters += text.length;
    if (counted !== expected && ++differing <= MAX_SHOWN) {
      console.log(`${encoding} ${printable(text)}: counted ${counted}, tiktoken ${expected}`);
    }
    if (process.stderr.isTTY && Date.now() - printedAt > 500) {
      printedAt = Date.now();
      process.stderr.write(`\r${encoding}: ${compared} strings`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(`${encoding}: ${compared} strings, ${characters} characters, ${differing} differ`);
  return differing;
}

function* texts(encoding: string): Generator<string> {
  const random = new RandomTexts(encoding, seed);
  for (let i = 0; i < strings; i++) yield random.next();
  for (const file of positionals) {
    const text = readFileSync(file, 'utf8');
    for (let at = 0; at < text.length; at += SLICE) yield text.slice(at, at + SLICE);
  }
}
