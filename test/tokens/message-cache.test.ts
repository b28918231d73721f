import assert from 'node:assert/strict';
import { CachedCounter } from '../../src/tokens/cached-counter.ts';
import { MessageCache } from '../../src/tokens/message-cache.ts';
import { createTextHasher } from '../../src/tokens/text-hasher.ts';

/** Counts characters, and how often it was asked. */
class LengthCounter {
  asked = 0;

  count(text: string): number {
    this.asked++;
    return text.length;
  }
}

const message = (i: number) => `message number ${i}, long enough to be kept`;

function cachedLengths(maxBytes?: number): {
  cache: MessageCache;
  inner: LengthCounter;
  counter: CachedCounter;
} {
  const hasher = createTextHasher();
  const cache = new MessageCache({ hasher, ...(maxBytes !== undefined && { maxBytes }) });
  const inner = new LengthCounter();
  return { cache, inner, counter: new CachedCounter((text) => inner.count(text), cache, 1) };
}

describe('tokens/message-cache', () => {
  it('counts each message of a growing conversation once', () => {
    const { counter, inner } = cachedLengths();
    for (let turn = 0; turn < 50; turn++) {
      for (let i = 0; i <= turn; i++) assert.equal(counter.count(message(i)), message(i).length);
    }
    assert.equal(inner.asked, 50);
  });

  it('holds nearly all of 100,000 messages, in 20 bytes each or thereabouts', () => {
    const { cache, counter, inner } = cachedLengths();
    for (let i = 0; i < 100_000; i++) counter.count(message(i));
    for (let i = 0; i < 100_000; i++) assert.equal(counter.count(message(i)), message(i).length);
    assert.ok(inner.asked < 106_000, `${inner.asked} counts`);
    assert.ok(cache.byteLength <= 8 << 20);
  });

  it('never exceeds its bound, and keeps the newest', () => {
    const maxBytes = 100_000;
    const { cache, counter, inner } = cachedLengths(maxBytes);
    for (let i = 0; i < 50_000; i++) assert.equal(counter.count(message(i)), message(i).length);
    assert.ok(cache.byteLength <= maxBytes, `${cache.byteLength}`);
    inner.asked = 0;
    for (let i = 49_900; i < 50_000; i++) counter.count(message(i));
    assert.ok(inner.asked < 20, `${inner.asked}`);
  });

  it('with no bytes it only counts', () => {
    const { counter, inner } = cachedLengths(0);
    assert.equal(counter.count(message(1)), message(1).length);
    assert.equal(counter.count(message(1)), message(1).length);
    assert.equal(inner.asked, 2);
  });

  it('tells vocabularies apart', () => {
    const cache = new MessageCache({ hasher: createTextHasher() });
    assert.equal(
      cache.count(message(1), 1, () => 7),
      7,
    );
    assert.equal(
      cache.count(message(1), 2, () => 8),
      8,
    );
    assert.equal(cache.get(message(1), 1), 7);
  });

  it('remembers what was counted elsewhere', () => {
    const { counter, inner } = cachedLengths();
    assert.equal(counter.known(message(1)), undefined);
    assert.equal(counter.remember(message(1), 9), 9);
    assert.equal(counter.known(message(1)), 9);
    assert.equal(counter.count(message(1)), 9);
    assert.equal(inner.asked, 0);
  });

  it('keeps a count of zero', () => {
    const cache = new MessageCache({ hasher: createTextHasher() });
    cache.set(message(1), 1, 0);
    assert.equal(cache.get(message(1), 1), 0);
  });
});
