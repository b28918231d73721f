import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackgroundCounter } from '../../../src/tokens/background.ts';
import { readClasses } from '../../../src/tokens/engine/artefacts.ts';
import { PlainEngine } from '../../../src/tokens/engine/plain/plain-engine.ts';
import { countChat, countTokens, encodingForModel } from '../../../src/tokens/index.ts';
import { setModelAliases } from '../../../src/tokens/models.ts';
import type { TextCounter } from '../../../src/tokens/text-counter.ts';
import { loadTiktokenCounter } from '../../../src/tokens/tiktoken-counter.ts';
import { BYTE_OF_CHARACTER } from '../../../src/tokens/vendor/byte-alphabet.ts';
import { readTokenizerFile } from '../../../src/tokens/vendor/tokenizer-file.ts';
import { forgetWarnings, setWarningHook } from '../../../src/tokens/warnings.ts';
import { printable, RandomTexts } from '../../support/random-texts.ts';
import {
  LLAMA_PATTERN,
  OSS_PATTERN,
  tekkenFile,
  tokenizerFile,
  type TokenizerFile,
} from '../../support/tokenizer-files.ts';

const STRINGS = 1000;

type Encoding = 'cl100k_base' | 'o200k_base';

const oracles = new Map<Encoding, TextCounter>();

function oracleOf(encoding: Encoding): TextCounter {
  const oracle = oracles.get(encoding) ?? loadTiktokenCounter(encoding);
  oracles.set(encoding, oracle);
  return oracle;
}

type Counted = readonly (readonly [text: string, tokens: number])[];

const countedByEncoding = new Map<Encoding, Counted>();

/** Generated strings and what tiktoken counts, once for all files with these merges. */
function countedTexts(encoding: Encoding): Counted {
  const known = countedByEncoding.get(encoding);
  if (known !== undefined) return known;
  const [texts, oracle] = [new RandomTexts(encoding, 11), oracleOf(encoding)];
  const counted = Array.from({ length: STRINGS }, () => {
    const text = texts.next();
    return [text, oracle.count(text)] as const;
  });
  countedByEncoding.set(encoding, counted);
  return counted;
}

/** A text as a byte-level vocabulary writes it. */
function asBytes(text: string): string {
  const characters = new Map([...BYTE_OF_CHARACTER].map(([character, byte]) => [byte, character]));
  return Array.from(Buffer.from(text), (byte) => characters.get(byte)).join('');
}

describe('tokens/vendor: vocabularies in files', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'token-files-'));
  const warnings: string[] = [];

  before(() => setWarningHook((message) => warnings.push(message)));
  beforeEach(() => {
    warnings.length = 0;
    forgetWarnings();
  });
  after(() => {
    setModelAliases({});
    setWarningHook();
    rmSync(folder, { recursive: true, force: true });
  });

  function alias(name: string, contents: unknown): string {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, typeof contents === 'string' ? contents : JSON.stringify(contents));
    setModelAliases({ [name]: path });
    return path;
  }

  function llama(change: (file: TokenizerFile) => void = () => undefined): TokenizerFile {
    const file = tokenizerFile('cl100k_base', LLAMA_PATTERN);
    change(file);
    return file;
  }

  for (const [name, encoding, file] of [
    ['llama-like', 'cl100k_base', () => llama()],
    ['oss-like', 'o200k_base', () => tokenizerFile('o200k_base', OSS_PATTERN)],
    ['tekken-like', 'o200k_base', () => tekkenFile('o200k_base', OSS_PATTERN)],
    [
      'merges-as-pairs',
      'cl100k_base',
      () =>
        llama(({ model }) => {
          model['merges'] = (model['merges'] as string[]).map((merge) => merge.split(' '));
        }),
    ],
    [
      'without-ignore-merges',
      'cl100k_base',
      () =>
        llama(({ model }) => {
          model['ignore_merges'] = false;
        }),
    ],
  ] as const) {
    it(`${name}: ${STRINGS} generated strings as tiktoken counts them`, () => {
      const path = alias(name, file());
      assert.deepEqual(encodingForModel(name), { encoding: path, quality: 'exact' });
      for (const [text, tokens] of countedTexts(encoding)) {
        const counted = countTokens(text, name);
        if (counted !== tokens) assert.equal(counted, tokens, printable(text));
      }
      assert.deepEqual(warnings, []);
    });
  }

  it('brings text into normal form C where the tokenizer does', () => {
    alias(
      'normalizing',
      llama((file) => (file.normalizer = { type: 'NFC' })),
    );
    const decomposed = 'Cafe\u0301 und U\u0308bung '.repeat(20);
    assert.equal(
      countTokens(decomposed, 'normalizing'),
      oracleOf('cl100k_base').count(decomposed.normalize('NFC')),
    );
  });

  it('a piece that is a token is one where the merges do not reach it; a part of a piece is not', () => {
    // "àè" merges before "éà" can, so the merges never come to "éàè".
    const [e, a, o] = ['é', 'à', 'è'].map(asBytes);
    const merges = [e, a, o].map((character) => (character ?? '').split('').join(' '));
    merges.push(`${a} ${o}`, `${e} ${a}`, `${e}${a} ${o}`);
    const file = llama(({ model }) => (model['merges'] = merges));
    alias('whole-pieces', file);
    const { table, splitter } = readTokenizerFile(JSON.stringify(file));
    const plain = new PlainEngine(readClasses(), splitter, table);
    for (const [text, tokens] of [
      ['éàè', 1],
      ['éàè中', 2 + 3],
      ['中éàè', 3 + 2],
      ['éàè éàè', 1 + 1 + 2],
    ] as const) {
      assert.equal(countTokens(text, 'whole-pieces'), tokens, text);
      assert.equal(plain.count(text), tokens, text);
    }
    file.model['ignore_merges'] = false;
    assert.throws(() => readTokenizerFile(JSON.stringify(file)), /do not reach/);
  });

  it('is loaded and counted in the worker, with the same result', async () => {
    alias('in-worker', llama());
    const counter = new BackgroundCounter();
    const request = { messages: [{ role: 'user', content: 'How many tokens is this, please?' }] };
    const counted = await counter.countChat(request, 'in-worker');
    assert.deepEqual(counted, countChat(request, 'in-worker'));
    assert.equal(counted.parts.text?.quality, 'exact');
  });

  for (const [what, contents] of [
    ['no JSON', 'not json'],
    ['a list', []],
    ['no BPE', { model: { type: 'Unigram' } }],
    [
      'an unknown pre-tokenizer',
      llama(({ pre_tokenizer: { pretokenizers } }) => {
        pretokenizers[0] = { type: 'Split', pattern: { Regex: '.+' } };
      }),
    ],
    ['no byte-level steps', llama((file) => (file.pre_tokenizer.pretokenizers = []))],
    ['an unknown normalizer', llama((file) => (file.normalizer = { type: 'Lowercase' }))],
    [
      'merges out of order',
      llama(({ model }) => {
        const merges = model['merges'] as string[];
        model['merges'] = [...merges, merges[0]];
      }),
    ],
    ['merges of unknown parts', llama(({ model }) => (model['merges'] = ['▁ a']))],
  ] as const) {
    it(`a file with ${what} is told once and the count estimated`, () => {
      const name = `bad-${what.replaceAll(' ', '-')}`;
      alias(name, contents);
      const request = { messages: [{ role: 'user', content: 'Hello there, how are you today?' }] };
      for (let i = 0; i < 3; i++) {
        const counted = countChat(request, name);
        assert.equal(counted.parts.text?.tokens, 8);
        assert.equal(counted.parts.text?.quality, 'estimated');
      }
      assert.equal(encodingForModel(name).quality, 'estimated');
      assert.equal(warnings.length, 1, warnings.join('\n'));
      assert.match(warnings[0] ?? '', /estimated with o200k_base/);
    });
  }

  it('a path that is not there is told once and the count estimated', () => {
    setModelAliases({ lost: join(folder, 'lost.json') });
    assert.equal(encodingForModel('lost').quality, 'estimated');
    assert.equal(countTokens('a b c', 'lost'), 3);
    assert.equal(warnings.length, 1);
  });

  it('a path in a request is the name of a model, not a file to read', () => {
    const path = join(folder, 'llama-like.json');
    assert.equal(encodingForModel(path).encoding, 'o200k_base');
  });

  it('a known model without its package names the package, once', () => {
    for (const model of ['llama3.1:8b', 'meta-llama/Llama-3.3-70B', 'us.meta.llama3-1-8b-v1:0']) {
      assert.deepEqual(encodingForModel(model), { encoding: 'o200k_base', quality: 'estimated' });
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /@lenml\/tokenizer-llama3_1/);
    encodingForModel('deepseek-reasoner');
    encodingForModel('qwen3-32b');
    encodingForModel('open-mistral-nemo');
    assert.equal(warnings.length, 4);
  });
});
