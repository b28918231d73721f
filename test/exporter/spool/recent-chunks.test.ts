import assert from 'node:assert/strict';
import { frameBytes } from '../../../exporter/spool/frame.ts';
import type { BatchBounds, LineChunk } from '../../../exporter/spool/line-queue.ts';
import { MemoryBudget, RecentChunks } from '../../../exporter/spool/recent-chunks.ts';

const chunk = (text: string): LineChunk => ({
  body: Buffer.from(`${text}\n`),
  lines: 1,
  multiline: false,
});
const SIZE = frameBytes(chunk('a'));
const upTo = (maxLines: number, maxBytes: number): BatchBounds => ({
  maxLines,
  maxBytes,
  minChunks: 1,
});
const texts = (chunks: readonly LineChunk[]): string[] => chunks.map(({ body }) => String(body));

describe('RecentChunks', () => {
  it('gives back what follows on from where the segment is read, in order', () => {
    const recent = new RecentChunks(new MemoryBudget(1000));
    recent.add(chunk('a'), 0, 0);
    recent.add(chunk('b'), SIZE, 0);
    assert.deepEqual(texts(recent.take(upTo(1, 1000))), ['a\n']);
    recent.add(chunk('c'), 2 * SIZE, SIZE);
    assert.deepEqual(texts(recent.take(upTo(9, 1000))), ['b\n', 'c\n']);
    assert.deepEqual(recent.take(upTo(9, 1000)), []);
  });

  it('holds nothing behind a gap, until that was read from the disk', () => {
    const recent = new RecentChunks(new MemoryBudget(SIZE));
    assert.equal(recent.add(chunk('a'), 0, 0), true);
    assert.equal(recent.add(chunk('b'), SIZE, 0), false);
    assert.deepEqual(texts(recent.take(upTo(9, 1000))), ['a\n'], 'no room for the second');
    assert.equal(recent.add(chunk('c'), 2 * SIZE, SIZE), false);
    assert.deepEqual(recent.take(upTo(9, 1000)), [], 'the second is on the disk alone');
    recent.add(chunk('d'), 3 * SIZE, 3 * SIZE);
    assert.deepEqual(texts(recent.take(upTo(9, 1000))), ['d\n']);
  });

  it('takes whole chunks within the bounds, one at least', () => {
    const recent = new RecentChunks(new MemoryBudget(1000));
    for (let i = 0; i < 3; i++) recent.add(chunk(String(i)), i * SIZE, 0);
    assert.equal(recent.take(upTo(9, 2 * chunk('a').body.length)).length, 2);
    assert.equal(recent.take(upTo(9, 1)).length, 1);
  });

  it('shares its bound with others, and gives room back', () => {
    const budget = new MemoryBudget(SIZE);
    const [one, other] = [new RecentChunks(budget), new RecentChunks(budget)];
    one.add(chunk('a'), 0, 0);
    other.add(chunk('b'), 0, 0);
    assert.deepEqual(other.take(upTo(9, 1000)), []);
    one.clear();
    other.add(chunk('c'), 0, 0);
    assert.deepEqual(texts(other.take(upTo(9, 1000))), ['c\n']);
    one.add(chunk('d'), SIZE, SIZE);
    assert.deepEqual(texts(one.take(upTo(9, 1000))), ['d\n'], 'taking gives room back too');
  });
});
