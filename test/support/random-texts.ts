import { createRequire } from 'node:module';

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Edge cases of hand-written pre-tokenizers: boundaries of rules, and differences from JavaScript.
 */
const EDGES: readonly string[] = [
  "'s 'S 'ſ 't 're 'VE 'll 'Ll 'LL 'd 'm 'l '\u0341 <|endoftext|> <|im_start|> http://".split(' '),
  `'"/.,-_!#$%&()*+:;<=>?@[]^{|}~ \t\n\r\v\f\0`.split(''),
  'abZEßéİǅʰªΣяДאعकกのカ中한0142٣½²Ⅷ①'.split(''),
  '\u0085 \uFEFF \u2028 \u3000 \u200B \u200D \u00AD \x1C \u0301 \u20E3 \uFE0F \u1ADB'.split(' '),
  '𝟘 🎄 👨‍👩‍👧 🇩🇪 𠀀 𑟠 \u{E0101} \u{10EC6} 组件 \uD800 \uDC00'.split(' '),
  ['\u00A0', '\r\n', '  ', '   ', '\n\n'],
].flat();

/** Ranges with many letters, chosen with equal probability. */
const RANGES: readonly (readonly [from: number, to: number])[] = [
  [0x20, 0x7f],
  [0, 0x100],
  [0x100, 0x590],
  [0x590, 0x1000],
  [0x1000, 0x3000],
  [0x3000, 0x3100],
  [0x4e00, 0xa000],
  [0xac00, 0xd7a4],
  [0xd800, 0xe000],
  [0xe000, 0x10000],
  [0x10000, 0x12000],
  [0x1f000, 0x1fb00],
  [0x20000, 0x32000],
  [0, 0x110000],
];

/** Lengths around each threshold of the engines: caches, heap, longest token. */
const LENGTHS: readonly number[] = [
  1, 2, 3, 6, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 34, 42, 43, 44, 63, 65, 127, 129, 255, 257, 400,
];

/** Strings intended to break a tokenizer, deterministic for a seed and vocabulary. */
export class RandomTexts {
  readonly #random: () => number;
  /** The vocabulary, without special tokens. */
  readonly tokens: readonly Buffer[];
  readonly #startingInside: readonly (readonly Buffer[])[];
  readonly #endingInside: readonly Buffer[];

  constructor(encoding: string, seed: number) {
    this.#random = seededRandom(seed);
    this.tokens = tokensOf(encoding);
    this.#startingInside = [1, 2, 3].map((bytes) =>
      this.tokens.filter((token) => continuationsAtStart(token) === bytes),
    );
    this.#endingInside = this.tokens.filter((token) => missingAtEnd(token) > 0);
  }

  next(): string {
    const kinds = [
      () => this.#repeat(1 + this.#below(40), () => this.#pick(EDGES)),
      () => this.#repeat(1 + this.#below(40), () => this.#character()),
      () => this.#repeat(1 + this.#below(40), () => this.#charactersOfOneRange()),
      () => this.#joinedTokens(),
      () => this.#tokensMeetingInsideCharacters(),
      () => this.#run(),
      () => this.#repeat(1 + this.#below(12), () => this.#anything()),
    ];
    return this.#pick(kinds)();
  }

  #anything(): string {
    return this.#pick([
      () => this.#pick(EDGES),
      () => this.#character(),
      () => this.#pick(this.tokens).toString(),
      () => this.#run().slice(0, 50),
    ])();
  }

  #character(): string {
    return this.#charactersIn(this.#pick(RANGES), 1);
  }

  #charactersOfOneRange(): string {
    return this.#charactersIn(this.#pick(RANGES), 1 + this.#below(20));
  }

  #charactersIn([from, to]: readonly [number, number], count: number): string {
    return this.#repeat(count, () => String.fromCodePoint(from + this.#below(to - from)));
  }

  #joinedTokens(): string {
    const count = 1 + this.#below(20);
    return Buffer.concat(Array.from({ length: count }, () => this.#pick(this.tokens))).toString();
  }

  /**
   * Tokens whose parts meet inside a character. A rule for cutting pieces passed on all other
   * strings and failed on these, in real Chinese text.
   */
  #tokensMeetingInsideCharacters(): string {
    if (this.#endingInside.length === 0) return this.#joinedTokens();
    const parts: Buffer[] = [];
    for (let i = this.#below(10); i >= 0; i--) {
      const first = this.#pick(this.#endingInside);
      const second = this.#startingInside[missingAtEnd(first) - 1] ?? [];
      parts.push(first);
      if (second.length > 0) parts.push(this.#pick(second));
      if (this.#random() < 0.3) parts.push(this.#pick(this.tokens));
    }
    return Buffer.concat(parts).toString();
  }

  /** A repeated element with a length near a threshold, with neighbours. */
  #run(): string {
    const unit = this.#random() < 0.5 ? this.#pick(EDGES) : this.#character();
    const other = this.#random() < 0.3 ? this.#character() : '';
    const run = (unit + other).repeat(this.#pick(LENGTHS));
    return this.#pick(['', ' ', 'a', '\n', '中']) + run + this.#pick(['', ' ', 'a', '\n', "'s"]);
  }

  #repeat(count: number, make: () => string): string {
    return Array.from({ length: count }, make).join('');
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }
}

const tokensByEncoding = new Map<string, readonly Buffer[]>();

function tokensOf(encoding: string): readonly Buffer[] {
  const known = tokensByEncoding.get(encoding);
  if (known !== undefined) return known;
  const { bpe_ranks: ranks } = createRequire(import.meta.url)(
    `tiktoken/encoders/${encoding}.json`,
  ) as { bpe_ranks: string };
  const tokens = ranks
    .split('\n')
    .flatMap((line) => line.split(' ').slice(2))
    .map((token) => Buffer.from(token, 'base64'));
  tokensByEncoding.set(encoding, tokens);
  return tokens;
}

function continuationsAtStart(token: Buffer): number {
  let n = 0;
  while (n < token.length && ((token[n] ?? 0) & 0xc0) === 0x80) n++;
  return n;
}

/** Missing bytes of the token's last character. */
function missingAtEnd(token: Buffer): number {
  for (let back = 1; back <= 3 && back <= token.length; back++) {
    const byte = token[token.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return Math.max(0, length - back);
  }
  return 0;
}

/** An ASCII-only JavaScript literal. */
export function printable(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
