import assert from 'node:assert/strict';
import type { Delivery } from '../../../exporter/influxdb/write/delivery/delivery.ts';
import { Sender } from '../../../exporter/delivery/sender.ts';
import { ExportCounts } from '../../../exporter/health/export-counts.ts';
import type { LineChunk } from '../../../exporter/spool/line-queue.ts';
import { MemoryQueue } from '../../../exporter/spool/memory-queue.ts';
import { chunkOf } from '../../support/spool.ts';
import { until } from '../../support/until.ts';

describe('Sender', () => {
  /** Lines of the sends under way, and how each ends. */
  let sends: { readonly lines: number; readonly end: () => void }[];
  let queue: MemoryQueue;
  let sender: Sender;

  beforeEach(() => {
    sends = [];
    queue = new MemoryQueue({ maxBytes: 1e9, onDropped: () => assert.fail() });
    const delivery: Pick<Delivery, 'deliver' | 'state'> = {
      state: 'ok',
      deliver: async (chunks: readonly LineChunk[]) =>
        await new Promise<void>((end) => {
          sends.push({ lines: chunks.reduce((sum, { lines }) => sum + lines, 0), end });
        }),
    };
    sender = new Sender({
      queue,
      delivery: delivery as Delivery,
      counts: new ExportCounts('test'),
      batchSize: 50,
      flushIntervalMs: 1e9,
      concurrency: 2,
    });
  });
  afterEach(async () => await sender.stop());

  async function append(lines: number, recycle?: () => void): Promise<void> {
    const chunk = chunkOf(...Array.from({ length: lines }, (_, i) => `a v=${i}i`));
    await queue.append(recycle === undefined ? chunk : { ...chunk, recycle });
    sender.notify();
  }
  const lines = (): number[] => sends.map((send) => send.lines);
  const endAll = (): void => {
    for (const { end } of sends) end();
  };

  it('begins with a small batch, and sends what came meanwhile in one', async () => {
    await append(49);
    assert.deepEqual(lines(), []);
    await append(1);
    await until(() => sends.length === 1);
    for (let i = 0; i < 10; i++) await append(100);
    assert.deepEqual(lines(), [50]);
    endAll();
    await until(() => sends.length === 2);
    assert.deepEqual(lines(), [50, 1000]);
    endAll();
    await until(() => queue.pendingLines === 0);
  });

  it('sends a whole batch beside another, and no third', async () => {
    await append(50);
    await until(() => sends.length === 1);
    for (let i = 0; i < 12; i++) await append(1000);
    await until(() => sends.length === 2);
    assert.deepEqual(lines(), [50, 5000]);
    sends[0]?.end();
    await until(() => sends.length === 3);
    assert.deepEqual(lines(), [50, 5000, 5000]);
    endAll();
    await until(() => sends.length === 4);
    assert.deepEqual(lines(), [50, 5000, 5000, 2000]);
    endAll();
    await until(() => queue.pendingLines === 0);
  });

  it('gives the memory of a chunk back once it is delivered, not before', async () => {
    let recycled = 0;
    await append(50, () => recycled++);
    await until(() => sends.length === 1);
    assert.equal(recycled, 0);
    endAll();
    await until(() => recycled === 1);
    assert.equal(queue.pendingLines, 0);
  });
});
