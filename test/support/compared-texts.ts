import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RandomTexts } from './random-texts.ts';

export const FUZZ_STRINGS = 5000;
const LAST_DENSE_CODE_POINT = 0x323af;
/** One count for several takes a third less; a difference is looked for in each. */
const CODE_POINTS_AT_ONCE = 8;
const TAGS_AND_SELECTORS = [0xe0000, 0xe01ff] as const;

export const ENCODINGS = ['o200k_base', 'cl100k_base', 'p50k_base', 'r50k_base'] as const;
/** p50k_base shares its pre-tokenizer and its bytes with r50k_base. */
export const ENCODINGS_OF_CODE_POINTS = ['o200k_base', 'cl100k_base', 'r50k_base'] as const;

export type Compared = 'generated' | 'chunks' | 'vocabulary' | 'codePoints';

/** Texts that engines and tiktoken count. */
export const COMPARED_TEXTS: Readonly<Record<Compared, (encoding: string) => Iterable<string>>> = {
  *generated(encoding) {
    const texts = new RandomTexts(encoding, 20_261_125);
    for (let i = 0; i < FUZZ_STRINGS; i++) yield texts.next();
  },
  *chunks(encoding) {
    const texts = new RandomTexts(encoding, 7);
    for (let i = 0; i < 8; i++) {
      let text = '';
      while (text.length < 40_000) text += texts.next();
      yield text;
    }
  },
  *vocabulary(encoding) {
    for (const [id, token] of new RandomTexts(encoding, 0).tokens.entries()) {
      if (id % 7 !== 0 && id > 2000) continue;
      yield token.toString();
      yield `x${token.toString()}x`;
    }
  },
  *codePoints() {
    for (const codes of inGroups(codePoints(), CODE_POINTS_AT_ONCE)) {
      yield codes.map(inContext).join('\n');
    }
  },
};

/** The texts of code points that are together in one text of `codePoints`. */
export function* codePointsOneByOne(): Iterable<string> {
  for (const code of codePoints()) yield inContext(code);
}

const inContext = (code: number): string => {
  const c = String.fromCodePoint(code);
  return `a${c}B ${c}'s${c}${c}b 1${c}\n${c}!`;
};

function* codePoints(): Generator<number> {
  for (let code = 0; code <= LAST_DENSE_CODE_POINT; code++) yield code;
  for (let code = TAGS_AND_SELECTORS[0]; code <= TAGS_AND_SELECTORS[1]; code++) yield code;
  for (let code = LAST_DENSE_CODE_POINT; code <= 0x10ffff; code += 97) yield code;
}

function* inGroups<T>(values: Iterable<T>, size: number): Generator<readonly T[]> {
  let group: T[] = [];
  for (const value of values) {
    group.push(value);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** A digest of texts, each with its count. */
export class CountsDigest {
  readonly #hash = createHash('sha256');

  add(text: string, tokens: number): void {
    // UTF-16 tells lone surrogates apart.
    this.#hash.update(text, 'utf16le').update(`\0${tokens}\0`);
  }

  toString(): string {
    return this.#hash.digest('hex').slice(0, 32);
  }
}

export function installedTiktoken(): string {
  const path = new URL('../../node_modules/tiktoken/package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
