import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { diag, type DiagLogger } from '@opentelemetry/api';
import { repriceLedger } from '../../../../exporter/sqlite/write/sqlite-reprice.ts';
import { SqliteUsageProcessor } from '../../../../exporter/sqlite/write/sqlite-usage-processor.ts';
import { SqliteUsageReader } from '../../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { fromRow, SELECT_COLUMNS } from '../../../../exporter/sqlite/stored-record.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

/** For scripts that run in a process of their own. */
const IMPORTS = `
  import { SqliteUsageProcessor } from '${import.meta.resolve('../../../../exporter/sqlite/write/sqlite-usage-processor.ts')}';
  import { logOf, usageRecord } from '${import.meta.resolve('../../../support/usage-logs.ts')}';
`;

const T0 = Date.parse('2026-11-01T10:00:00Z');

describe('SqliteUsageProcessor', () => {
  let folder: string;
  let path: string;
  const messages: string[] = [];
  const log = (message: string): number => messages.push(message);

  before(() => {
    const logger: DiagLogger = { error: log, warn: log, info: log, debug: log, verbose: log };
    diag.setLogger(logger, { suppressOverrideMessage: true });
  });
  after(() => diag.disable());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-sqlite-'));
    path = join(folder, 'ledger', 'usage.db');
    messages.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const stored = (): UsageRecord[] => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return database
        .prepare(`SELECT ${SELECT_COLUMNS} FROM usage ORDER BY time_ns`)
        .all()
        .map(fromRow);
    } finally {
      database.close();
    }
  };
  const hourCalls = (): unknown => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const callsIn = (table: string): unknown =>
        database.prepare(`SELECT sum(calls) AS n FROM ${table}`).get()?.['n'];
      assert.equal(callsIn('usage_day'), callsIn('usage_hour'));
      return callsIn('usage_hour');
    } finally {
      database.close();
    }
  };

  it('gives back every member of a record as it was', async () => {
    const processor = new SqliteUsageProcessor({ path });
    const full = usageRecord(T0, {
      responseModel: 'gpt-4o-2024-08-06',
      responseId: 'chatcmpl-1',
      userId: `o'Brien "x" \u0000 界`,
      conversationId: 'c-1',
      timeToFirstChunkMs: 210.5,
      inputTokens: 100,
      outputTokens: 20,
      totalTokens: 120,
      cacheReadTokens: 0,
      cacheWriteTokens: 5,
      reasoningTokens: 3,
      tokenSource: 'provider',
      costUsd: 0.000123457,
      attributes: { team: 'search', retries: 2, cached: false },
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
    });
    const bare = usageRecord(T0 + 1, { outcome: 'error', errorType: 'Timeout' });
    processor.onEmit(logOf(full));
    processor.onEmit(logOf(bare));
    await processor.forceFlush();
    assert.deepEqual(stored(), [full, bare]);
    const { accepted, delivered, dropped, state } = processor.status();
    assert.deepEqual(
      { accepted, delivered, dropped, state },
      {
        accepted: 2,
        delivered: 2,
        dropped: {},
        state: 'ok',
      },
    );
    await processor.shutdown();
    assert.equal(processor.status().state, 'closed');
  });

  it('stores a resent record once, in the roll-up too', async () => {
    const processor = new SqliteUsageProcessor({ path });
    const records = Array.from({ length: 600 }, (_, i) => usageRecord(T0 + i));
    for (const record of [...records, ...records]) processor.onEmit(logOf(record));
    await processor.shutdown();
    assert.equal(stored().length, 600);
    assert.equal(hourCalls(), 600);
  });

  it('lets several processes write one file', async () => {
    const script = `
      ${IMPORTS}
      const processor = new SqliteUsageProcessor({ path: ${JSON.stringify(path)} });
      for (let i = 0; i < 500; i++) {
        const record = usageRecord(${T0} + i);
        processor.onEmit(logOf({ ...record, id: process.pid + record.id }));
        if (i % 50 === 0) await processor.forceFlush();
      }
      await processor.shutdown();
    `;
    const run = promisify(execFile);
    const args = ['--input-type=module', '-e', script];
    await Promise.all([1, 2, 3].map(() => run(process.execPath, args)));
    assert.equal(stored().length, 1500);
    assert.equal(hourCalls(), 1500);
  });

  it('keeps what was accepted before kill -9, and what is queued at process.exit()', async () => {
    const script = (end: string): string => `
      ${IMPORTS}
      const processor = new SqliteUsageProcessor({ path: ${JSON.stringify(path)} });
      for (let i = 0; i < 300; i++) processor.onEmit(logOf(usageRecord(${T0} + i)));
      ${end}
    `;
    const exiting = script('process.exit(0);');
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', exiting]);
    assert.equal(stored().length, 300);

    rmSync(path, { force: true });
    const killed = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        script(`setInterval(() => {
          const { accepted } = processor.status();
          if (accepted > 0) process.stdout.write(accepted + '\\n');
          processor.onEmit(logOf(usageRecord(Date.now())));
        }, 1);`),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let accepted = 0;
    killed.stdout.on('data', (data: Buffer) => {
      accepted = Number(data.toString().trim().split('\n').at(-1));
      if (accepted > 320) killed.kill('SIGKILL');
    });
    await once(killed, 'exit');
    assert.ok(accepted > 320);
    assert.ok(stored().length >= accepted, `${stored().length} of ${accepted}`);
  });

  it('does not keep the process alive', async () => {
    const script = `
      ${IMPORTS}
      const processor = new SqliteUsageProcessor({ path: ${JSON.stringify(path)}, retentionDays: 3 });
      processor.onEmit(logOf(usageRecord(Date.now())));
    `;
    const options = { timeout: 50_000 };
    const args = ['--input-type=module', '-e', script];
    const { stderr } = await promisify(execFile)(process.execPath, args, options);
    assert.equal(stderr, '');
    assert.equal(stored().length, 1);
  });

  it('moves a corrupted file aside with a clear message and starts a new one', async () => {
    mkdirSync(join(folder, 'ledger'));
    writeFileSync(path, Buffer.alloc(8192, 'not a database '));
    const processor = new SqliteUsageProcessor({ path });
    processor.onEmit(logOf(usageRecord(T0)));
    await processor.forceFlush();
    assert.equal(stored().length, 1);
    const aside = readdirSync(join(folder, 'ledger')).filter((name) =>
      name.includes('.corrupted-'),
    );
    assert.equal(aside.length, 1);
    assert.match(
      messages.join('\n'),
      /was damaged .* moved to .*\.corrupted-.*, and the 0 record\(s\) that could be read/,
    );
    assert.match(processor.status().lastError?.message ?? '', /moved to/);
    await processor.shutdown();
  });

  it('notices a file that becomes corrupted while it is open', async () => {
    const processor = new SqliteUsageProcessor({ path });
    for (let i = 0; i < 200; i++) processor.onEmit(logOf(usageRecord(T0 + i)));
    await processor.forceFlush();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    writeFileSync(path, Buffer.alloc(65_536, 7));
    processor.onEmit(logOf(usageRecord(T0 + 1000)));
    await processor.forceFlush();
    assert.equal(stored().length, 1);
    await processor.shutdown();
  });

  it('leaves the database of another program alone', async () => {
    mkdirSync(join(folder, 'ledger'));
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    const processor = new SqliteUsageProcessor({ path });
    processor.onEmit(logOf(usageRecord(T0)));
    await assert.rejects(processor.forceFlush(), /database of another program/);
    await processor.shutdown();
    const { accepted, pending, dropped } = processor.status();
    assert.deepEqual([accepted, pending, dropped], [1, 1, {}]);
  });

  it('says what to do about the file of another release', async () => {
    const first = new SqliteUsageProcessor({ path });
    first.onEmit(logOf(usageRecord(T0)));
    await first.shutdown();
    const said = {
      1: /an earlier release wrote the file \(ledger version 1, .*move the file away, or name another one/,
      99: /a newer release wrote the file \(ledger version 99, .*update otel-token-meter/,
    };
    for (const [version, message] of Object.entries(said)) {
      const database = new DatabaseSync(path);
      database.exec(`PRAGMA user_version = ${version}`);
      database.close();
      const processor = new SqliteUsageProcessor({ path });
      processor.onEmit(logOf(usageRecord(T0 + 1)));
      await assert.rejects(processor.forceFlush(), message);
      await processor.shutdown();
      const reader = new SqliteUsageReader({ path });
      await assert.rejects(reader.records(), message);
      await reader.close();
      await assert.rejects(repriceLedger({ path, costOf: () => 1 }), message);
    }
    assert.equal(stored().length, 1);
  });

  it('holds records of an unwritable file in bounded memory and writes them later', async () => {
    // A folder in the place of the file: unwritable even for root.
    mkdirSync(path, { recursive: true });
    const processor = new SqliteUsageProcessor({ path, maxQueuedRecords: 10 });
    for (let i = 0; i < 15; i++) processor.onEmit(logOf(usageRecord(T0 + i)));
    await assert.rejects(processor.forceFlush(), {
      code: 'DATABASE_UNAVAILABLE',
      message: /cannot write the usage ledger .*usage\.db/,
    });
    const status = processor.status();
    assert.deepEqual(status.dropped, { queue_full: 5 });
    assert.equal(status.accepted, 0);
    assert.match(status.state, /retrying|failing/);
    assert.ok((status.oldestAgeMs ?? -1) >= 0);
    assert.match(messages.join('\n'), /cannot write the usage ledger/);
    rmdirSync(path);
    await until(() => processor.status().accepted === 10);
    assert.equal(processor.status().state, 'ok');
    assert.equal(stored().length, 10);
    await processor.shutdown();
  });

  it('removes records beyond the retention, whole hours of call and roll-up', async () => {
    const now = Date.now();
    const processor = new SqliteUsageProcessor({ path, retentionDays: 2 });
    processor.onEmit(logOf(usageRecord(now - 3 * 86_400_000)));
    processor.onEmit(logOf(usageRecord(now - 1 * 86_400_000)));
    await processor.forceFlush();
    await processor.shutdown();
    const again = new SqliteUsageProcessor({ path, retentionDays: 2 });
    await until(() => stored().length === 1);
    await again.shutdown();
    assert.equal(stored().length, 1);
    assert.equal(hourCalls(), 1);
  });

  it('refuses wrong options at once and emits after shutdown without a throw', async () => {
    assert.throws(() => new SqliteUsageProcessor({ path: '' }), { code: 'INVALID_OPTION' });
    assert.throws(() => new SqliteUsageProcessor({ path, retentionDays: 0 }), /retentionDays/);
    const processor = new SqliteUsageProcessor({ path });
    await processor.shutdown();
    await processor.shutdown();
    processor.onEmit(logOf(usageRecord(T0)));
    assert.deepEqual(processor.status().dropped, { closed: 1 });
  });
});
