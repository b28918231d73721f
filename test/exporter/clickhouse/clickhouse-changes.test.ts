import assert from 'node:assert/strict';
import { eraseClickHouseUser } from '../../../exporter/clickhouse/erase/clickhouse-erase.ts';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { repriceClickHouseLedger } from '../../../exporter/clickhouse/reprice/clickhouse-reprice.ts';
import { ROLL_UPS } from '../../../exporter/clickhouse/schema/roll-ups.ts';
import { setUpClickHouse } from '../../../exporter/clickhouse/schema/set-up.ts';
import type { UsageSummary } from '../../../exporter/ledger/usage-query.ts';
import { agree } from '../../conformance/usage-readers/usage-agreement.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const DAY_MS = 86_400_000;
const FROM = Date.parse('2026-10-20T00:00:00Z');
const RECORDS = mixedRecords(2000, FROM, FROM + 6 * DAY_MS);
const RANGE = { from: new Date(FROM), to: new Date(FROM + 6 * DAY_MS) };

describe('a ledger of ClickHouse that is changed', function () {
  this.timeout(60_000);
  let server: TestServer;
  let database: string;
  let databases = 0;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
  });
  after(async () => await server?.stop());
  beforeEach(async () => {
    database = `llm_${++databases}`;
    await clickHouseTables(server.url, database);
    await fillClickHouse(server.url, database, RECORDS);
    await rollUpClickHouse(server.url, database);
  });

  const ask = async (sql: string): Promise<string> => (await clickHouse(server.url, sql)).trim();
  async function summary(groupBy: readonly ('user' | 'model')[] = []): Promise<UsageSummary> {
    const reader = new ClickHouseUsageReader({ url: server.url, database });
    try {
      return await reader.summary({ ...RANGE, groupBy });
    } finally {
      await reader.close();
    }
  }

  it('has the new costs at once, and after the roll-ups were made again', async () => {
    const before = await summary();
    const result = await repriceClickHouseLedger({
      url: server.url,
      database,
      costOf: ({ inputTokens }) => (inputTokens === undefined ? undefined : inputTokens * 2e-6),
    });
    assert.equal(result.calls, RECORDS.length);
    const repriced = RECORDS.map((record) => {
      const { inputTokens, costSource } = record;
      if (costSource === 'provider' || inputTokens === undefined) return record;
      const { costMissing: _, ...rest } = record;
      const costUsd = Math.round(inputTokens * 2000) / 1e9;
      return { ...rest, costUsd, costSource: 'contract' as const };
    });
    agree((await summary()).total, repriced);
    assert.notEqual((await summary()).total.costUsd, before.total.costUsd);
    // A late resend of a call does not take the correction back.
    await fillClickHouse(server.url, database, RECORDS.slice(0, 100));
    agree((await summary()).total, repriced);
    await rollUpClickHouse(server.url, database);
    agree((await summary()).total, repriced);
    const again = await repriceClickHouseLedger({
      url: server.url,
      database,
      dryRun: true,
      costOf: ({ inputTokens }) => (inputTokens === undefined ? undefined : inputTokens * 2e-6),
    });
    assert.equal(again.changed, 0);
  });

  it('forgets a user in calls and sums, at once and after the roll-ups were made again', async () => {
    const userId = "o'Brien";
    const left = RECORDS.filter((record) => record.userId !== userId);
    const options = { url: server.url, database, userId };
    const found = RECORDS.length - left.length;
    assert.deepEqual(await eraseClickHouseUser({ ...options, dryRun: true }), {
      found,
      erased: 0,
      mayRemain: [],
    });
    assert.equal((await eraseClickHouseUser(options)).erased, found);
    for (let made = 0; made < 2; made++) {
      agree((await summary()).total, left);
      const { rows, total } = await summary(['user']);
      assert.ok(!rows.some(({ user }) => user === userId));
      agree(total, left);
      agree((await summary(['model'])).total, left);
      await rollUpClickHouse(server.url, database);
    }
    for (const table of ['llm_usage', 'llm_usage_daily_users', 'llm_usage_daily_conversations']) {
      const rows = await ask(`SELECT count() FROM ${database}.${table} WHERE user = 'o\\'Brien'`);
      assert.equal(rows, '0', table);
    }
  });

  it('keeps what a user does after his erasure began', async () => {
    const userId = "o'Brien";
    const later = {
      ...RECORDS[0]!,
      id: 'later',
      userId,
      time: new Date(Date.now() + DAY_MS).toISOString(),
    };
    await fillClickHouse(server.url, database, [later]);
    await rollUpClickHouse(server.url, database);
    await eraseClickHouseUser({ url: server.url, database, userId });
    const rows = await ask(`SELECT record_id FROM ${database}.llm_usage WHERE user = 'o\\'Brien'`);
    assert.equal(rows, 'later');
    await assert.rejects(eraseClickHouseUser({ url: server.url, database, userId: '' }), {
      code: 'INVALID_OPTION',
    });
  });

  it('is rolled up by the server itself, and again after a late call', async () => {
    const view = `${database}.llm_usage_hourly_refresh`;
    await ask(`TRUNCATE TABLE ${database}.llm_usage_hourly`);
    // Changed long enough ago.
    const cells = `${database}.llm_usage_cells`;
    await ask(`CREATE TABLE ${database}.old AS ${cells}`);
    await ask(`INSERT INTO ${database}.old SELECT roll_up, shard, cell, max(changed), toDateTime64(0, 3)
      FROM ${cells} GROUP BY roll_up, shard, cell`);
    await ask(`TRUNCATE TABLE ${cells}`);
    await ask(`INSERT INTO ${cells} SELECT * FROM ${database}.old`);
    await ask(`SYSTEM START VIEW ${view}`);
    await ask(`SYSTEM REFRESH VIEW ${view}`);
    await ask(`SYSTEM WAIT VIEW ${view}`);
    const calls = `SELECT sum(calls) FROM ${database}.llm_usage_hourly FINAL`;
    assert.equal(Number(await ask(calls)), RECORDS.length);
    const due = `SELECT count() FROM (SELECT max(changed) AS c, max(made) AS m FROM ${cells}
      WHERE roll_up = 'hourly' GROUP BY cell) WHERE c > m`;
    assert.equal(await ask(due), '0');
    await fillClickHouse(server.url, database, [{ ...RECORDS[0]!, id: 'late' }]);
    assert.equal(await ask(due), '1');
    agree((await summary()).total, [...RECORDS, { ...RECORDS[0]!, id: 'late' }]);
  });

  it('gets the columns of a newer release, another retention and changed views', async () => {
    await ask(`ALTER TABLE ${database}.llm_usage DROP COLUMN run_id, DROP COLUMN agent`);
    await ask(`ALTER TABLE ${database}.llm_usage_changes MODIFY COMMENT 'otel-token-meter older'`);
    const merging = 'min_age_to_force_merge_seconds, min_age_to_force_merge_on_partition_only';
    await ask(`ALTER TABLE ${database}.llm_usage_hourly RESET SETTING ${merging}`);
    const statements: string[] = [];
    const onStatement = (sql: string): number => statements.push(sql);
    const options = { url: server.url, database, retentionDays: 365, onStatement };
    await setUpClickHouse({ ...options, dryRun: true });
    const planned = statements.splice(0);
    await setUpClickHouse(options);
    assert.deepEqual(statements, planned);
    assert.ok(statements.some((sql) => sql.includes('ADD COLUMN IF NOT EXISTS run_id')));
    assert.ok(statements.some((sql) => sql.includes('llm_usage_changes MODIFY QUERY')));
    const table = await ask(`SHOW CREATE TABLE ${database}.llm_usage`);
    assert.match(table, /toIntervalDay\(365\)/);
    const hourly = await ask(`SHOW CREATE TABLE ${database}.llm_usage_hourly`);
    assert.match(hourly, /min_age_to_force_merge_seconds = 3600/);
    assert.equal(await ask(`SELECT count() FROM ${database}.llm_usage`), `${RECORDS.length}`);
    await setUpClickHouse({ ...options, retentionDays: 0 });
    assert.doesNotMatch(await ask(`SHOW CREATE TABLE ${database}.llm_usage`), /TTL/);
    await setUpClickHouse({ ...options, retentionDays: 0 });
  });

  it('sums up the units of calls and roll-ups from before them', async () => {
    const rollUps = ROLL_UPS.map(({ table }) => table);
    for (const table of ['llm_usage', ...rollUps]) {
      await ask(`ALTER TABLE ${database}.${table} DROP COLUMN units`);
    }
    await setUpClickHouse({ url: server.url, database });
    // The sums from before are marked: the calls answer for them until they are made again.
    for (let made = 0; made < 2; made++) {
      for (const groupBy of [[], ['user'], ['model']] as const) {
        agree((await summary(groupBy)).total, RECORDS);
      }
      await rollUpClickHouse(server.url, database);
    }
    const units = `SELECT sumMap(units)['web_searches'] FROM ${database}`;
    const expected = await ask(`${units}.llm_usage FINAL`);
    assert.ok(Number(expected) > 0);
    for (const table of rollUps) assert.equal(await ask(`${units}.${table} FINAL`), expected);
    const statements: string[] = [];
    const onStatement = (sql: string): number => statements.push(sql);
    await setUpClickHouse({ url: server.url, database, dryRun: true, onStatement });
    assert.ok(!statements.some((sql) => /ADD COLUMN|INSERT/.test(sql)), statements.join('\n'));
  });

  it('has statements for clusters that the server can read', async () => {
    const statements: string[] = [];
    await setUpClickHouse({
      url: server.url,
      database: 'fleet',
      cluster: 'main',
      replicated: true,
      distributed: true,
      retentionDays: 90,
      dryRun: true,
      onStatement: (sql) => statements.push(sql),
    });
    assert.ok(statements.length > 12);
    for (const sql of statements) {
      assert.match(sql, /ON CLUSTER `main`/);
      const quoted = sql.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`);
      await ask(`SELECT formatQuery('${quoted}')`);
    }
    const all = statements.join('\n');
    assert.match(all, /ReplicatedReplacingMergeTree\(revision\)/);
    assert.match(all, /Distributed\('main', 'fleet', 'llm_usage_local', cityHash64\(record_id\)\)/);
  });
});
