import assert from 'node:assert/strict';
import { counterFor } from '../../../src/tokens/encodings.ts';
import { readClasses, readVocabulary } from '../../../src/tokens/engine/artefacts.ts';
import { PlainEngine } from '../../../src/tokens/engine/plain/plain-engine.ts';
import { SPLITTERS } from '../../../src/tokens/engine/splitters.ts';
import { loadTiktokenCounter } from '../../../src/tokens/tiktoken-counter.ts';
import type { TextCounter } from '../../../src/tokens/text-counter.ts';
import { DISAGREEMENTS } from '../../fixtures/tokens/disagreements.ts';
import { PROSE } from '../../fixtures/tokens/prose.ts';
import { printable, RandomTexts, seededRandom } from '../../support/random-texts.ts';

const FUZZ_STRINGS = 5000;
const LAST_DENSE_CODE_POINT = 0x323af;
/** One count for several takes a third less; a difference is looked for in each. */
const CODE_POINTS_AT_ONCE = 8;
const TAGS_AND_SELECTORS = [0xe0000, 0xe01ff] as const;

const oracles = new Map<string, TextCounter>();

function oracleOf(encoding: string): TextCounter {
  const oracle = oracles.get(encoding) ?? loadTiktokenCounter(encoding);
  oracles.set(encoding, oracle);
  return oracle;
}

/** The oracle is the slowest of them: it counts once for all. */
function assertSame(engines: readonly TextCounter[], oracle: TextCounter, text: string): void {
  const expected = oracle.count(text);
  for (const engine of engines) {
    const counted = engine.count(text);
    if (counted === expected) continue;
    const name = engine instanceof PlainEngine ? 'the plain engine' : 'the compiled engine';
    assert.fail(`${printable(text)}: ${name} counted ${counted}, expected ${expected}`);
  }
}

function plainEngineOf(encoding: string): TextCounter {
  const splitter = SPLITTERS[encoding];
  assert.ok(splitter);
  return new PlainEngine(readClasses(), splitter, readVocabulary(encoding));
}

const ENCODINGS = ['o200k_base', 'cl100k_base', 'p50k_base', 'r50k_base'];

for (const encoding of ENCODINGS) {
  describe(`tokens/engine: both engines for ${encoding} equal tiktoken`, function () {
    this.timeout(120_000);
    let engines: readonly TextCounter[];
    let oracle: TextCounter;
    before(() => {
      engines = [counterFor(encoding), plainEngineOf(encoding)];
      oracle = oracleOf(encoding);
    });

    it(`on ${FUZZ_STRINGS} generated strings`, () => {
      const texts = new RandomTexts(encoding, 20_261_125);
      for (let i = 0; i < FUZZ_STRINGS; i++) assertSame(engines, oracle, texts.next());
    });

    it('on texts of many chunks, at once and in steps', () => {
      const texts = new RandomTexts(encoding, 7);
      for (let i = 0; i < 8; i++) {
        let text = '';
        while (text.length < 40_000) text += texts.next();
        const expected = oracle.count(text);
        for (const engine of engines) {
          assert.equal(engine.count(text), expected);
          assert.equal(lastOf(engine.countInSteps(text)), expected);
        }
      }
    });

    it('on every length up to some vectors, with a longer character at every place', () => {
      for (const odd of ['é', '组', '🎄', '\uD83C', '\uDF84', ' ', "'s"]) {
        for (let length = 0; length < 40; length++) {
          const around = 'abCDe fghIJklm 123 '.repeat(3);
          assertSame(
            engines,
            oracle,
            `${around.slice(0, length)}${odd}${around.slice(length, 40)}`,
          );
          assertSame(engines, oracle, `${around.slice(0, length)}${odd}`);
        }
      }
    });

    it('on two texts counted step by step in turn', () => {
      const texts = Object.values(PROSE).map((text) => text.repeat(80));
      const [first, second] = [texts.join('\n'), texts.toReversed().join(' ')];
      const expected = [oracle.count(second), oracle.count(first)];
      for (const engine of engines) {
        const a = engine.countInSteps(first);
        const b = engine.countInSteps(second);
        a.next();
        b.next();
        a.next();
        assert.deepEqual([lastOf(b), lastOf(a)], expected);
      }
    });

    it('on prose of many languages, whole, in slices and behind white space', () => {
      for (const text of Object.values(PROSE)) {
        assertSame(engines, oracle, text);
        for (let at = 0; at < text.length; at += 3) {
          assertSame(engines, oracle, text.slice(at, at + 17));
          assertSame(engines, oracle, ` ${text.slice(at, at + 4)}`);
        }
      }
    });

    it('on vocabulary entries, alone and between letters', () => {
      const texts = new RandomTexts(encoding, 0);
      texts.tokens.forEach((token, id) => {
        if (id % 7 !== 0 && id > 2000) return;
        assertSame(engines, oracle, token.toString());
        assertSame(engines, oracle, `x${token.toString()}x`);
      });
    });
  });
}

describe('tokens/engine: every code point in context', function () {
  this.timeout(120_000);
  // p50k_base shares its pre-tokenizer and its bytes with r50k_base.
  for (const encoding of ['o200k_base', 'cl100k_base', 'r50k_base']) {
    it(`${encoding}: tiktoken, the compiled and the plain engine agree`, () => {
      const engines = [counterFor(encoding), plainEngineOf(encoding)];
      const oracle = oracleOf(encoding);
      for (const codes of inGroups(codePoints(), CODE_POINTS_AT_ONCE)) {
        const texts = codes.map((code) => {
          const c = String.fromCodePoint(code);
          return `a${c}B ${c}'s${c}${c}b 1${c}\n${c}!`;
        });
        const text = texts.join('\n');
        const expected = oracle.count(text);
        if (engines.every((engine) => engine.count(text) === expected)) continue;
        for (const one of texts) assertSame(engines, oracle, one);
        assertSame(engines, oracle, text);
      }
    });
  }
});

describe('tokens/engine: long pieces in windows', function () {
  this.timeout(120_000);
  for (const encoding of ['o200k_base', 'cl100k_base']) {
    it(`${encoding}: as the plain engine merges them whole`, () => {
      const engine = counterFor(encoding);
      const plain = plainEngineOf(encoding);
      const random = seededRandom(11);
      const words = new RandomTexts(encoding, 0).tokens
        .map(String)
        .filter((token) => /^[a-z]+$/.test(token));
      const wordsOf = (count: number) => () =>
        Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join('');
      const letters = () => String.fromCodePoint(97 + Math.floor(random() * 4));
      const runs = () => letters().repeat(1 + Math.floor(random() * 400));
      for (const make of [wordsOf(1), letters, runs]) {
        for (const length of [8191, 8193, 12_300, 20_000]) {
          let text = '';
          while (text.length < length) text += make();
          assertSame([engine], plain, text);
        }
      }
      const twice = wordsOf(2)();
      assertSame([engine], plain, twice.repeat(2000));
    });
  }
});

describe('tokens/engine: what other tokenizers count wrong', () => {
  const plainEngines = new Map<string, TextCounter>();
  const plain = (encoding: string): TextCounter => {
    const engine = plainEngines.get(encoding) ?? plainEngineOf(encoding);
    plainEngines.set(encoding, engine);
    return engine;
  };

  for (const { cause, text, tokens } of DISAGREEMENTS) {
    for (const [encoding, expected] of Object.entries(tokens)) {
      it(`${cause}: ${printable(text)} in ${encoding} is ${expected}`, () => {
        assert.equal(counterFor(encoding).count(text), expected);
        assert.equal(plain(encoding).count(text), expected);
        assert.equal(oracleOf(encoding).count(text), expected);
      });
    }
  }
});

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

function lastOf(steps: ReturnType<TextCounter['countInSteps']>): number {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
