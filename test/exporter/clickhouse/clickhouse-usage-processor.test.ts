import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseOptions } from '../../../exporter/clickhouse/clickhouse-options.ts';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { clickHouseBacklogs } from '../../../exporter/clickhouse/write/clickhouse-backlogs.ts';
import { ClickHouseUsageProcessor } from '../../../exporter/clickhouse/write/clickhouse-usage-processor.ts';
import {
  clickHouse,
  clickHouseTables,
  requireClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { until } from '../../support/until.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';
import { logOf, usageRecord } from '../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const LOGIN = 'writer:s3cret';

describe('ClickHouseUsageProcessor', function () {
  this.timeout(60_000);
  let server: TestServer;
  let authority: string;
  let directory: string;
  let databases = 0;
  let database: string;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse({ login: LOGIN });
    authority = `http://${LOGIN}@127.0.0.1:${server.port}`;
  });
  after(async () => await server?.stop());
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'token-meter-clickhouse-'));
    database = `llm_${++databases}`;
    await clickHouseTables(authority, database);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const options = (over: Partial<ClickHouseOptions> = {}): ClickHouseOptions => ({
    url: `${authority}/${database}`,
    spool: { directory },
    ...over,
  });
  const ask = async (sql: string): Promise<string> =>
    (await clickHouse(server.url, sql, '', LOGIN)).trim();
  const stored = async (): Promise<number> =>
    Number(await ask(`SELECT count() FROM ${database}.llm_usage FINAL`));

  it('writes records that the reader gives back as they were', async () => {
    const processor = new ClickHouseUsageProcessor(options());
    const records = [
      ...mixedRecords(40, T0, T0 + 3_600_000),
      usageRecord(T0 + 3_700_000, {
        userId: `o'Brien "x", a=b\\`,
        conversationId: 'line one\nline two\t\u0000',
        team: 'search',
        dimensions: { feature: 'chat "one"', region: 'eu' },
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        attributes: { team_size: 2, cached: false, note: 'ü\n' },
      }),
    ];
    for (const record of records) {
      processor.onEmit({
        ...logOf(record),
        resource: {
          attributes: { 'service.name': record.service, 'deployment.environment.name': 'prod' },
        },
      });
    }
    await processor.forceFlush();
    const reader = new ClickHouseUsageReader({ url: `${authority}/${database}` });
    const page = await reader.records({ limit: 1000 });
    assert.deepEqual(page.records.toReversed(), records);
    await reader.close();
    assert.equal(await ask(`SELECT DISTINCT environment FROM ${database}.llm_usage`), 'prod');
    const { state, accepted, delivered, dropped, pending } = processor.status();
    assert.deepEqual(
      { state, accepted, delivered, dropped, pending },
      { state: 'ok', accepted: 41, delivered: 41, dropped: {}, pending: 0 },
    );
    await processor.shutdown();
    assert.equal(processor.status().state, 'closed');
  });

  it('drops a block that comes twice by its token, and single calls by their key', async () => {
    const records = Array.from({ length: 20 }, (_, i) => usageRecord(T0 + i));
    for (const part of [records, records, records.slice(5, 15)]) {
      const processor = new ClickHouseUsageProcessor(options());
      for (const record of part) processor.onEmit(logOf(record));
      await processor.shutdown();
      assert.equal(processor.status().delivered, part.length);
    }
    assert.equal(await ask(`SELECT count() FROM ${database}.llm_usage`), '30');
    assert.equal(await stored(), 20);
  });

  it('keeps what a server that is away did not take, and the next start delivers it', async () => {
    const away = new ClickHouseUsageProcessor(options());
    await server.kill('SIGKILL');
    for (let i = 0; i < 120; i++) away.onEmit(logOf(usageRecord(T0 + i)));
    await away.forceFlush();
    const { state, accepted, delivered, pending, lastError } = away.status();
    assert.deepEqual([state, accepted, delivered, pending], ['retrying', 120, 0, 120]);
    assert.equal(lastError?.code, 'ECONNREFUSED');
    await away.shutdown();
    const [backlog] = await clickHouseBacklogs(options());
    assert.equal(backlog?.lines, 120);
    assert.deepEqual(backlog?.destination, { store: 'clickhouse', url: server.url, database });
    await server.restart();
    const next = new ClickHouseUsageProcessor(options());
    await until(() => next.status().delivered === 120);
    assert.equal(next.status().adopted, 120);
    assert.equal(await stored(), 120);
    await next.shutdown();
  });

  it('drops a row that the server refuses, alone, and keeps it in a file', async () => {
    const noOdd = "ADD CONSTRAINT no_odd CHECK model != 'odd'";
    await ask(`ALTER TABLE ${database}.llm_usage ${noOdd}`);
    const processor = new ClickHouseUsageProcessor(options({ batchSize: 1000 }));
    processor.onEmit(logOf(usageRecord(T0)));
    await processor.forceFlush();
    for (let i = 0; i < 30; i++) processor.onEmit(logOf(usageRecord(T0 + i)));
    processor.onEmit(logOf(usageRecord(T0, { id: 'odd', requestModel: 'odd' })));
    await processor.forceFlush();
    await until(() => processor.status().pending === 0);
    assert.equal(await stored(), 31);
    assert.deepEqual(processor.status().dropped, { refused: 1 });
    await processor.shutdown();
    const name = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((file) =>
      file.endsWith('dead-letters-usage.lines'),
    );
    assert.match(readFileSync(join(directory, name ?? ''), 'utf8'), /"record_id":"odd"/);
  });

  it('keeps records while the tables are missing, and says what to run', async () => {
    await ask(`DROP TABLE ${database}.llm_usage`);
    const processor = new ClickHouseUsageProcessor(options());
    processor.onEmit(logOf(usageRecord(T0)));
    await processor.forceFlush();
    const { state, lastError, pending } = processor.status();
    assert.deepEqual([state, pending, lastError?.code], ['failing', 1, '60']);
    assert.match(lastError?.message ?? '', /setup clickhouse/);
    await clickHouseTables(authority, database);
    await processor.forceFlush();
    await until(() => processor.status().delivered === 1);
    await processor.shutdown();
  });

  it('says that a login is wrong without showing it', async () => {
    const url = `http://writer:wr0ng@127.0.0.1:${server.port}/${database}`;
    const processor = new ClickHouseUsageProcessor(options({ url }));
    processor.onEmit(logOf(usageRecord(T0)));
    await processor.forceFlush();
    const { state, lastError } = processor.status();
    assert.deepEqual([state, lastError?.code], ['failing', '516']);
    assert.ok(!JSON.stringify(lastError).includes('wr0ng'));
    await processor.shutdown();
  });

  it('lets the server gather inserts', async () => {
    const processor = new ClickHouseUsageProcessor(options({ asyncInsert: true }));
    for (let i = 0; i < 10; i++) processor.onEmit(logOf(usageRecord(T0 + i)));
    await processor.forceFlush();
    await processor.shutdown();
    assert.equal(await stored(), 10);
  });

  it('refuses wrong options at once', () => {
    const make = (over: object) => () =>
      new ClickHouseUsageProcessor({ ...options(), ...over } as ClickHouseOptions);
    assert.throws(make({ url: 'clickhouse:9000' }), { code: 'INVALID_OPTION' });
    assert.throws(make({ url: 'http://localhost:8123/a/b' }), /at most a database as its path/);
    assert.throws(make({ batchSize: 0 }), /batchSize must be a whole number of at least 1/);
    assert.throws(make({ password: 12345 }), (error: Error) => !error.message.includes('12345'));
  });
});
