import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LineBatch, LineQueue } from '../../../exporter/spool/line-queue.ts';
import { MemoryQueue } from '../../../exporter/spool/memory-queue.ts';
import { chunkOf, diskSpool, textOf } from '../../support/spool.ts';

const ALL = [1e6, 1e9] as const;

/** Both queues keep the same promises. */
for (const [name, make] of [
  ['MemoryQueue', () => new MemoryQueue({ maxBytes: 1e6, onDropped: () => assert.fail() })],
  ['DiskSpool', (folder: string) => diskSpool(folder)],
] as const) {
  describe(`${name} as a queue of lines`, () => {
    let folder: string;
    let queue: LineQueue;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'token-meter-queue-'));
      queue = make(folder);
    });
    afterEach(async () => {
      await queue.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const take = async (lines: number = ALL[0], bytes: number = ALL[1]): Promise<LineBatch> => {
      const batch = await queue.take(lines, bytes);
      return batch ?? assert.fail('nothing to take');
    };
    const state = (): number[] => [queue.waitingLines, queue.pendingLines];

    it('gives back what was appended, in order, and forgets what is done', async () => {
      assert.equal(await queue.take(...ALL), undefined);
      await queue.append(chunkOf('a 1', 'b 2'));
      await queue.append(chunkOf('c "x\ny"'));
      assert.deepEqual(state(), [3, 3]);
      assert.ok(queue.pendingBytes > 0);
      const batch = await take();
      assert.equal(textOf(batch), 'a 1\nb 2\nc "x\ny"\n');
      assert.deepEqual([batch.lines, batch.chunks.at(-1)?.multiline], [3, true]);
      assert.deepEqual(state(), [0, 3]);
      assert.ok(performance.now() - (queue.oldestSince ?? Infinity) < 60_000);
      batch.done();
      assert.deepEqual(state(), [0, 0]);
      assert.deepEqual([queue.pendingBytes, queue.oldestSince], [0, undefined]);
      assert.equal(await queue.take(...ALL), undefined);
    });

    it('keeps to the bounds of a batch, but never gives less than a chunk', async () => {
      for (const line of ['a', 'b', 'c', 'd']) await queue.append(chunkOf(line, line, line));
      assert.equal((await take(1)).lines, 3);
      assert.equal((await take(7)).lines, 6);
      assert.equal((await take(100, 1)).lines, 3);
      assert.equal(await queue.take(...ALL), undefined);
    });

    it('never gives a line to two takers', async () => {
      for (let i = 0; i < 100; i++) await queue.append(chunkOf(`line ${i}`));
      const batches = await Promise.all(Array.from({ length: 20 }, () => queue.take(10, 1e6)));
      const lines = batches.flatMap((batch) =>
        batch === undefined ? [] : textOf(batch).trim().split('\n'),
      );
      assert.equal(new Set(lines).size, 100);
      assert.equal(lines.length, 100);
    });

    it('gives released lines again, before the others', async () => {
      await queue.append(chunkOf('a'));
      const batch = await take();
      await queue.append(chunkOf('b'));
      batch.release();
      assert.deepEqual(state(), [2, 2]);
      const bodies = [textOf(await take(1)), textOf(await take(1))];
      assert.deepEqual(bodies, ['a\n', 'b\n']);
    });
  });
}
