import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { counterFor } from '../../src/tokens/encodings.ts';
import { readClasses, readVocabulary } from '../../src/tokens/engine/artefacts.ts';
import { PlainEngine } from '../../src/tokens/engine/plain/plain-engine.ts';
import { SPLITTERS } from '../../src/tokens/engine/splitters.ts';
import { loadTiktokenCounter } from '../../src/tokens/tiktoken-counter.ts';

export type Count = (text: string) => number;

export interface Engine {
  readonly name: string;
  readonly count: Count;
}

export const OURS = 'otel-token-meter';
export const PLAIN = 'plain engine';
export const TIKTOKEN = 'tiktoken';

const require = createRequire(import.meta.url);

/** Ours, tiktoken, and the fastest JavaScript ports, each used as documented. */
export const LOADERS: Readonly<Record<string, (encoding: string) => Count>> = {
  [OURS]: (encoding) => {
    const counter = counterFor(encoding);
    return (text) => counter.count(text);
  },
  [PLAIN]: (encoding) => {
    const splitter = SPLITTERS[encoding];
    if (splitter === undefined) throw new Error(`No splitter for ${encoding}`);
    const engine = new PlainEngine(readClasses(), splitter, readVocabulary(encoding));
    return (text) => engine.count(text);
  },
  /** `encode_ordinary`: `encode` is slower and throws on `<|endoftext|>`. */
  [TIKTOKEN]: (encoding) => {
    const counter = loadTiktokenCounter(encoding);
    return (text) => counter.count(text);
  },
  'gpt-tokenizer': (encoding) => {
    const { countTokens } = require(`gpt-tokenizer/encoding/${encoding}`) as {
      countTokens: (text: string, options: object) => number;
    };
    const asText = { disallowedSpecial: new Set() };
    return (text) => countTokens(text, asText);
  },
  'ai-tokenizer': (encoding) => {
    const { Tokenizer } = require('ai-tokenizer') as {
      Tokenizer: new (encoding: unknown) => { encode: (...given: unknown[]) => number[] };
    };
    const tokenizer = new Tokenizer(require(`ai-tokenizer/encoding/${encoding}`));
    // `count` throws on special tokens. This is the function it calls, with special tokens as text.
    return (text) => tokenizer.encode(text, [], []).length;
  },
  '@microsoft/tiktokenizer': (encoding) => {
    const { createTokenizer, getRegexByEncoder } = require('@microsoft/tiktokenizer') as {
      createTokenizer: (...given: unknown[]) => { encode: (text: string) => number[] };
      getRegexByEncoder: (encoding: string) => string;
    };
    const tokenizer = createTokenizer(ranksOf(encoding), new Map(), getRegexByEncoder(encoding));
    return (text) => tokenizer.encode(text).length;
  },
};

/** The same ranks that its loader would download. */
function ranksOf(encoding: string): Map<Uint8Array, number> {
  const { bpe_ranks: ranks } = require(`tiktoken/encoders/${encoding}.json`) as {
    bpe_ranks: string;
  };
  const map = new Map<Uint8Array, number>();
  for (const line of ranks.split('\n')) {
    const [, first, ...tokens] = line.split(' ');
    tokens.forEach((token, i) => map.set(Buffer.from(token, 'base64'), Number(first) + i));
  }
  return map;
}

export function loadEngines(encoding: string): Engine[] {
  return Object.entries(LOADERS).map(([name, load]) => ({ name, count: load(encoding) }));
}

export function versionOf(name: string): string {
  if (name === OURS || name === PLAIN) return 'this tree';
  try {
    const path = require.resolve(name);
    const root = path.slice(0, path.lastIndexOf(`node_modules/${name}`)) + `node_modules/${name}`;
    return (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string })
      .version;
  } catch {
    return '?';
  }
}
