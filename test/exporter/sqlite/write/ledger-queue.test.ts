import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { metrics } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { LedgerQueue } from '../../../../exporter/sqlite/write/ledger-queue.ts';
import { unsavedFiles } from '../../../../exporter/sqlite/write/unsaved-records.ts';
import { exporterMetrics } from '../../../support/exporter-metrics.ts';
import { OnDemandReader } from '../../../support/telemetry.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

describe('LedgerQueue', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-queue-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('closes within bounds although its thread never answers, and saves what it held', async () => {
    let thread: Worker | undefined;
    const queue = new LedgerQueue({
      path: join(folder, 'usage.db'),
      retentionDays: undefined,
      maxQueuedRecords: 10,
      shutdownMs: 50,
      startThread: () => {
        const stall = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
        thread = new Worker(stall, { eval: true });
        thread.unref();
        return thread;
      },
    });
    assert.ok(thread);
    const ended = once(thread, 'exit');
    queue.add(usageRecord(Date.now()));
    queue.add(usageRecord(Date.now()));
    await queue.close();
    await ended;
    const { state, accepted, pending, dropped } = queue.status();
    assert.deepEqual([state, accepted, pending, dropped], ['closed', 2, 2, {}]);
    assert.equal(unsavedFiles(join(folder, 'usage.db')).length, 1);
  });

  it('tells its counts as metrics', async () => {
    const reader = new OnDemandReader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const path = join(folder, 'usage.db');
    const queue = new LedgerQueue({ path, retentionDays: undefined, maxQueuedRecords: 2 });
    try {
      for (let i = 0; i < 3; i++) queue.add(usageRecord(Date.now() + i));
      await queue.flush();
      assert.deepEqual(await exporterMetrics(reader), {
        'accepted sqlite': 2,
        'delivered sqlite': 2,
        'dropped sqlite queue_full': 1,
        'retries sqlite': 0,
        'spool_bytes sqlite': 0,
        'oldest_age sqlite': 0,
        'latency sqlite': true,
      });
    } finally {
      metrics.disable();
      await queue.close();
    }
  });
});
