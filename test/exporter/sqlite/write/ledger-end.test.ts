import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerFile } from '../../../../exporter/sqlite/write/ledger-file.ts';
import { LedgerQueue } from '../../../../exporter/sqlite/write/ledger-queue.ts';
import { SqliteUsageProcessor } from '../../../../exporter/sqlite/write/sqlite-usage-processor.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');

describe('the end of a process that writes a SQLite ledger', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-end-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const stored = (): number => {
    const database = new DatabaseSync(path, { readOnly: true });
    const { calls, rolled } = database
      .prepare(
        'SELECT (SELECT count(*) FROM usage) AS calls, (SELECT sum(calls) FROM usage_hour) AS rolled',
      )
      .get() as { calls: number; rolled: number | null };
    database.close();
    assert.equal(rolled ?? 0, calls);
    return calls;
  };
  const unsaved = (): string[] => readdirSync(folder).filter((name) => name.includes('.unsaved-'));
  const locked = (): DatabaseSync => {
    new LedgerFile({ path, busyTimeoutMs: 1000 }).open();
    const lock = new DatabaseSync(path);
    lock.exec('BEGIN IMMEDIATE');
    return lock;
  };
  /** Emits 1001 records and says so, then does `end`. */
  const app = (end: string): ReturnType<typeof spawn> => {
    const script = `
      import { SqliteUsageProcessor } from '${import.meta.resolve('../../../../exporter/sqlite/write/sqlite-usage-processor.ts')}';
      import { logOf, usageRecord } from '${import.meta.resolve('../../../support/usage-logs.ts')}';
      const processor = new SqliteUsageProcessor({ path: ${JSON.stringify(path)} });
      for (let i = 0; i < 1001; i++) processor.onEmit(logOf(usageRecord(${T0} + i)));
      ${end}
    `;
    const args = ['--input-type=module', '-e', script];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  };
  const STAY = `setInterval(() => {}, 1000); process.stdout.write('ready');`;

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`${signal} loses nothing that was emitted`, async () => {
      const child = app(STAY);
      await once(child.stdout ?? child, 'data');
      child.kill(signal);
      const [, ended] = (await once(child, 'exit')) as [number | null, string | null];
      assert.equal(ended, signal);
      assert.equal(stored(), 1001);
      assert.deepEqual(unsaved(), []);
    });
  }

  it('SIGTERM while another process holds the lock: the next writer takes the records over', async () => {
    const lock = locked();
    const child = app(STAY);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGTERM');
    await once(child, 'exit');
    lock.exec('ROLLBACK');
    lock.close();
    const [file = ''] = unsaved();
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
    const next = new SqliteUsageProcessor({ path });
    await until(() => stored() === 1001 && unsaved().length === 0);
    await until(() => next.status().adopted !== undefined);
    const { adopted, accepted, delivered } = next.status();
    // The thread may have written a batch of them before the signal came.
    assert.ok(adopted !== undefined && adopted <= 1001 && adopted >= 1);
    assert.equal(accepted, 0);
    assert.equal(delivered, adopted);
    await next.shutdown();
  });

  it('a handled signal leaves no copy behind', async () => {
    const lock = locked();
    const child = app(`
      let times = 0;
      process.on('SIGTERM', () => { times++; process.stdout.write(String(times)); });
      process.on('SIGUSR2', async () => { await processor.shutdown(); process.exit(0); });
      ${STAY}
    `);
    await once(child.stdout ?? child, 'data');
    for (let i = 0; i < 3; i++) {
      child.kill('SIGTERM');
      await once(child.stdout ?? child, 'data');
    }
    assert.equal(unsaved().length, 1);
    lock.exec('ROLLBACK');
    lock.close();
    child.kill('SIGUSR2');
    await once(child, 'exit');
    assert.equal(stored(), 1001);
    assert.deepEqual(unsaved(), []);
  });

  it('shutdown with a locked ledger saves the records beside it, and says so', async () => {
    const lock = locked();
    const queue = new LedgerQueue({
      path,
      retentionDays: undefined,
      maxQueuedRecords: 1000,
      shutdownMs: 300,
    });
    for (let i = 0; i < 600; i++) queue.add(usageRecord(T0 + i));
    await queue.close();
    const { accepted, delivered, pending, dropped } = queue.status();
    assert.deepEqual([accepted, delivered, pending, dropped], [600, 0, 600, {}]);
    lock.exec('ROLLBACK');
    lock.close();
    const next = new SqliteUsageProcessor({ path });
    await until(() => unsaved().length === 0);
    assert.equal(stored(), 600);
    await next.shutdown();
  });

  it('shutdown waits for a lock that goes', async () => {
    const lock = locked();
    const processor = new SqliteUsageProcessor({ path });
    for (let i = 0; i < 600; i++) processor.onEmit(logOf(usageRecord(T0 + i)));
    setTimeout(() => {
      lock.exec('ROLLBACK');
      lock.close();
    }, 1000);
    await processor.shutdown();
    assert.deepEqual(unsaved(), []);
    assert.equal(stored(), 600);
    assert.equal(processor.status().accepted, 600);
  });

  it('keeps a file of unsaved records that it cannot read, and takes the others', async () => {
    const good = JSON.stringify(usageRecord(T0));
    writeFileSync(`${path}.unsaved-1-a.jsonl`, `${good}\n{"id": "x"}\nnonsense\n`);
    const processor = new SqliteUsageProcessor({ path });
    await until(() => processor.status().adopted === 1);
    assert.equal(stored(), 1);
    assert.deepEqual(unsaved(), ['usage.db.unsaved-1-a.jsonl.unreadable']);
    assert.deepEqual(processor.status().dropped, { unwritable: 2 });
    await processor.shutdown();
  });

  it('makes ledger and log readable by their owner only, and leaves the mode of an old one', async () => {
    const processor = new SqliteUsageProcessor({ path });
    processor.onEmit(logOf(usageRecord(T0)));
    await processor.forceFlush();
    for (const end of ['', '-wal', '-shm']) {
      assert.equal(statSync(path + end).mode & 0o777, 0o600, end);
    }
    await processor.shutdown();
    chmodSync(path, 0o640);
    const again = new SqliteUsageProcessor({ path });
    again.onEmit(logOf(usageRecord(T0)));
    await again.shutdown();
    assert.equal(statSync(path).mode & 0o777, 0o640);
  });

  it('keeps its file when the process changes its folder', async () => {
    const before = process.cwd();
    try {
      process.chdir(folder);
      const processor = new SqliteUsageProcessor({ path: 'usage.db' });
      process.chdir(before);
      processor.onEmit(logOf(usageRecord(T0)));
      await processor.shutdown();
    } finally {
      process.chdir(before);
    }
    assert.equal(stored(), 1);
  });
});
