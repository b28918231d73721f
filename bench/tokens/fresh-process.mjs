// One engine in a process of its own; plain JavaScript, so that no type is stripped in the measured time.
import { createRequire } from 'node:module';

const [name, encoding, dist] = process.argv.slice(2);
const require = createRequire(import.meta.url);

const LOADERS = {
  'otel-token-meter': async () => {
    const { countTokens } = await import(dist);
    return (text) => countTokens(text, encoding);
  },
  tiktoken: () => {
    const { get_encoding } = require('tiktoken');
    const tiktoken = get_encoding(encoding);
    return (text) => tiktoken.encode_ordinary(text).length;
  },
  'gpt-tokenizer': () => {
    const { countTokens } = require(`gpt-tokenizer/encoding/${encoding}`);
    return (text) => countTokens(text);
  },
  'ai-tokenizer': () => {
    const { Tokenizer } = require('ai-tokenizer');
    const tokenizer = new Tokenizer(require(`ai-tokenizer/encoding/${encoding}`));
    return (text) => tokenizer.count(text);
  },
  '@microsoft/tiktokenizer': () => {
    const { createTokenizer, getRegexByEncoder } = require('@microsoft/tiktokenizer');
    const ranks = new Map();
    for (const line of require(`tiktoken/encoders/${encoding}.json`).bpe_ranks.split('\n')) {
      const [, first, ...tokens] = line.split(' ');
      tokens.forEach((token, i) => ranks.set(Buffer.from(token, 'base64'), Number(first) + i));
    }
    const tokenizer = createTokenizer(ranks, new Map(), getRegexByEncoder(encoding));
    return (text) => tokenizer.encode(text).length;
  },
};

globalThis.gc();
const rssBefore = process.memoryUsage().rss;
const start = performance.now();
const count = await LOADERS[name]();
count('How many tokens is this?');
const firstCountMs = performance.now() - start;
globalThis.gc();
const rssBytes = process.memoryUsage().rss - rssBefore;

const text = 'It was a bright cold day in April, and the clocks were striking 13. '.repeat(1500);
for (let i = 0; i < 5; i++) count(text);
globalThis.gc();
const heapBefore = process.memoryUsage().heapUsed;
count(text);
const heapBytes = process.memoryUsage().heapUsed - heapBefore;
console.log(JSON.stringify({ firstCountMs, rssBytes, heapBytes }));
