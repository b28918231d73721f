import assert from 'node:assert/strict';
import { readClasses, readEngine, readVocabulary } from '../../../src/tokens/engine/artefacts.ts';
import { PlainEngine } from '../../../src/tokens/engine/plain/plain-engine.ts';
import { SPLITTERS } from '../../../src/tokens/engine/splitters.ts';
import { WasmEngine } from '../../../src/tokens/engine/wasm-engine.ts';
import { wasm } from '../../../src/tokens/engine/webassembly.ts';
import { countTokens } from '../../../src/tokens/index.ts';
import { withMaximumMemory } from '../../support/limited-memory.ts';
import { seededRandom } from '../../support/random-texts.ts';

describe('tokens/engine: hostile input', function () {
  this.timeout(120_000);
  const random = seededRandom(3);
  const HOSTILE: readonly (readonly [name: string, text: (length: number) => string])[] = [
    ['a', (length) => 'a'.repeat(length)],
    ['spaces', (length) => ' '.repeat(length)],
    ['newlines', (length) => '\n'.repeat(length)],
    ['random ideographs', (length) => randomText(length, 0x4e00, 0x5000)],
    ['random letters', (length) => randomText(length, 0x61, 26)],
    ['combining marks', (length) => '\u0301'.repeat(length)],
    ['digits', (length) => '7'.repeat(length)],
    ['contractions', (length) => "'s".repeat(length / 2)],
    ['surrogates', (length) => '\uD800'.repeat(length)],
  ];

  function randomText(length: number, from: number, count: number): string {
    return Array.from({ length }, () =>
      String.fromCodePoint(from + Math.floor(random() * count)),
    ).join('');
  }

  for (const [name, make] of HOSTILE) {
    it(`500,000 × ${name}: no more than linear against 50,000`, () => {
      const short = countTokens(make(50_000));
      const long = countTokens(make(500_000));
      assert.ok(short > 0);
      assert.ok(Math.abs(long / short - 10) < 0.2, `${short} tokens, then ${long}`);
    });
  }

  it('a run of 5 MB is counted, and the memory for it given back', () => {
    countTokens('warm');
    const before = process.memoryUsage().arrayBuffers;
    // Counted in segments of 2 MB: a seam may cost a token.
    assert.ok(Math.abs(countTokens('a'.repeat(5 << 20)) - (5 << 17)) <= 4);
    countTokens('again');
    const kept = process.memoryUsage().arrayBuffers - before;
    assert.ok(kept < 16 * 2 ** 20, `${kept} bytes kept`);
  });

  it('prose of 100 MB is counted', () => {
    const sentence = 'It was a bright cold day in April, and the clocks were striking thirteen. ';
    const times = Math.floor((100 * 2 ** 20) / sentence.length);
    const one = countTokens(sentence.repeat(2)) - countTokens(sentence);
    const expected = countTokens(sentence) + one * (times - 1);
    assert.equal(countTokens(sentence.repeat(times)), expected);
  });

  it('a host that refuses memory gets a count all the same', () => {
    assert.ok(wasm);
    const module = new wasm.Module(withMaximumMemory(readEngine(), 240));
    const splitter = SPLITTERS['r50k_base'];
    assert.ok(splitter);
    const parts = { module, classes: readClasses(), splitter };
    const engine = new WasmEngine(parts, readVocabulary('r50k_base'));
    const text = 'a'.repeat(1 << 20);
    const expected = countTokens(text, 'r50k_base');
    assert.ok(Math.abs(engine.count(text) - expected) <= 16);
    const steps = engine.countInSteps(text);
    let last = steps.next();
    while (last.done !== true) last = steps.next();
    assert.ok(Math.abs(last.value - expected) <= 16);
    assert.equal(engine.count('and then again'), countTokens('and then again', 'r50k_base'));
  });

  it('the plain engine is as steady', () => {
    const splitter = SPLITTERS['o200k_base'];
    assert.ok(splitter);
    const plain = new PlainEngine(readClasses(), splitter, readVocabulary('o200k_base'));
    for (const [, make] of HOSTILE.slice(0, 4)) {
      const text = make(200_000);
      assert.equal(plain.count(text), countTokens(text, 'gpt-4o'));
    }
  });
});
