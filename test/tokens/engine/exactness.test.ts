import assert from 'node:assert/strict';
import { counterFor } from '../../../src/tokens/encodings.ts';
import { readClasses, readVocabulary } from '../../../src/tokens/engine/artefacts.ts';
import { PlainEngine } from '../../../src/tokens/engine/plain/plain-engine.ts';
import { SPLITTERS } from '../../../src/tokens/engine/splitters.ts';
import { loadTiktokenCounter } from '../../../src/tokens/tiktoken-counter.ts';
import type { TextCounter } from '../../../src/tokens/text-counter.ts';
import { DISAGREEMENTS } from '../../fixtures/tokens/disagreements.ts';
import { TIKTOKEN_COUNTS } from '../../fixtures/tokens/tiktoken-counts.ts';
import { PROSE } from '../../fixtures/tokens/prose.ts';
import {
  codePointsOneByOne,
  type Compared,
  COMPARED_TEXTS,
  CountsDigest,
  ENCODINGS,
  ENCODINGS_OF_CODE_POINTS,
  FUZZ_STRINGS,
  installedTiktoken,
} from '../../support/compared-texts.ts';
import { printable, RandomTexts, seededRandom } from '../../support/random-texts.ts';

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

const plainEngines = new Map<string, TextCounter>();

function plainEngineOf(encoding: string): TextCounter {
  const known = plainEngines.get(encoding);
  if (known !== undefined) return known;
  const splitter = SPLITTERS[encoding];
  assert.ok(splitter);
  const engine = new PlainEngine(readClasses(), splitter, readVocabulary(encoding));
  plainEngines.set(encoding, engine);
  return engine;
}

/** Compares with the recorded counts of tiktoken, and where they differ with tiktoken, which names the text. */
function assertAsRecorded(
  engines: readonly TextCounter[],
  encoding: string,
  what: Compared,
  finer: Iterable<string> = [],
): void {
  const texts = COMPARED_TEXTS[what];
  const digest = new CountsDigest();
  let isSame = true;
  for (const text of texts(encoding)) {
    const [tokens = NaN, ...others] = engines.map((engine) => engine.count(text));
    isSame &&= others.every((other) => other === tokens);
    digest.add(text, tokens);
  }
  const name = `${encoding} ${what}`;
  if (isSame && digest.toString() === TIKTOKEN_COUNTS.digests[name]) return;
  for (const text of finer) assertSame(engines, oracleOf(encoding), text);
  for (const text of texts(encoding)) assertSame(engines, oracleOf(encoding), text);
  assert.fail(`the counts of tiktoken that are recorded for ${name} are those of other texts`);
}

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
      assertAsRecorded(engines, encoding, 'generated');
    });

    it('on texts of many chunks, at once and in steps', () => {
      assertAsRecorded([...engines, ...engines.map(inSteps)], encoding, 'chunks');
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
      assertAsRecorded(engines, encoding, 'vocabulary');
    });
  });
}

describe('tokens/engine: the recorded counts of tiktoken', () => {
  it('are of the installed version', () => {
    assert.equal(installedTiktoken(), TIKTOKEN_COUNTS.version);
  });
});

describe('tokens/engine: every code point in context', function () {
  this.timeout(120_000);
  for (const encoding of ENCODINGS_OF_CODE_POINTS) {
    it(`${encoding}: tiktoken, the compiled and the plain engine agree`, () => {
      const engines = [counterFor(encoding), plainEngineOf(encoding)];
      assertAsRecorded(engines, encoding, 'codePoints', codePointsOneByOne());
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
  for (const { cause, text, tokens } of DISAGREEMENTS) {
    for (const [encoding, expected] of Object.entries(tokens)) {
      it(`${cause}: ${printable(text)} in ${encoding} is ${expected}`, () => {
        assert.equal(counterFor(encoding).count(text), expected);
        assert.equal(plainEngineOf(encoding).count(text), expected);
        assert.equal(oracleOf(encoding).count(text), expected);
      });
    }
  }
});

function inSteps(engine: TextCounter): TextCounter {
  return {
    count: (text) => lastOf(engine.countInSteps(text)),
    countInSteps: (text) => engine.countInSteps(text),
  };
}

function lastOf(steps: ReturnType<TextCounter['countInSteps']>): number {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
