import assert from 'node:assert/strict';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { repriceInfluxLedger } from '../../../../exporter/influxdb/reprice/influx-reprice.ts';
import { eraseInfluxUser } from '../../../../exporter/influxdb/erase/influx-erase.ts';
import { rollUpInfluxLedger } from '../../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { LateMarks, ON_THE_WAY } from '../../../../exporter/influxdb/rollup/late-marks.ts';
import { packTable, unpackTable } from '../../../../exporter/influxdb/rollup/packed-table.ts';
import { tableFields, tableText } from '../../../../exporter/influxdb/rollup/roll-up-schema.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import type { StoredTable } from '../../../../exporter/ledger/queries/usage-table.ts';
import type { UsageQuery, UsageSummary } from '../../../../exporter/ledger/usage-query.ts';
import { USAGE_UNITS } from '../../../../src/domain/billed-usage.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { influxExecute, influxRows } from '../../../support/influx.ts';
import { rollUpPlace } from '../../../support/influx-roll-ups.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';

const HOUR_MS = 3_600_000;
const UNITS: readonly string[] = USAGE_UNITS;
const START = Date.parse('2026-10-24T12:00:00Z');
/** 25 October is a switch day in Berlin and elsewhere. */
const END = Date.parse('2026-10-26T06:00:00Z');
const NOW = Date.parse('2026-10-26T12:00:00Z');

describe('roll-ups in InfluxDB 1.x', () => {
  let server: TestServer;
  let count = 0;
  const open: InfluxUsageReader[] = [];

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: [] });
  });
  after(async () => {
    for (const reader of open) await reader.close();
    await server?.stop();
  });

  interface Ledger {
    readonly bucket: string;
    write(records: readonly UsageRecord[], now?: number): Promise<void>;
    rollUp(now?: number, options?: { verify?: boolean }): ReturnType<typeof rollUpInfluxLedger>;
    /** The same query with and without roll-ups. */
    compare(query: Omit<UsageQuery, 'from' | 'to'> & Partial<UsageQuery>): Promise<UsageSummary>;
    rows(q: string): Promise<Record<string, unknown>[]>;
  }

  async function ledgerOf(records: readonly UsageRecord[]): Promise<Ledger> {
    const bucket = `rollups_${++count}`;
    await influxExecute(server.url, `CREATE DATABASE ${bucket}`);
    const lines = new UsageLineWriter({ maxUserTags: 3, maxDimensionTags: 2, onCleaned() {} });
    const post = async (db: string, body: string): Promise<void> => {
      const response = await fetch(`${server.url}/write?db=${db}`, { method: 'POST', body });
      assert.equal(response.status, 204, await response.text());
    };
    const access = { url: server.url, bucket };
    const plain = `${bucket}_calls`;
    await influxExecute(server.url, `CREATE DATABASE ${plain}`);
    // Kept, with what they remember of roll-ups.
    const readers = [bucket, plain].map(
      (name) => new InfluxUsageReader({ ...access, bucket: name, maxAgeMs: 0 }),
    );
    open.push(...readers);
    const ledger: Ledger = {
      bucket,
      async write(more, now = NOW) {
        const body = more.map((record) => `${String(lines.line(record))}\n`).join('');
        const chunk = { body: Buffer.from(body), lines: more.length, multiline: false };
        const marks = new LateMarks(rollUpPlace(bucket), ON_THE_WAY, () => now).before([chunk]);
        if (marks !== undefined) await post(bucket, String(marks.chunk.body));
        await post(bucket, body);
        await post(plain, body);
      },
      rollUp: async (now = NOW, options = {}) =>
        await rollUpInfluxLedger({ ...access, ...options, now: () => now }),
      async compare(query) {
        const asked = { from: new Date(START), to: new Date(NOW), ...query };
        const [rolledUp, calls] = await Promise.all(
          readers.map(async (reader) => await reader.summary(asked)),
        );
        assert.deepEqual(rounded(rolledUp), rounded(calls), JSON.stringify(query));
        return rolledUp as UsageSummary;
      },
      rows: async (q) => await influxRows(server.url, bucket, q),
    };
    // As they were written in time: without a mark.
    for (let at = 0; at < records.length; at += 1000) {
      await ledger.write(records.slice(at, at + 1000), START);
    }
    return ledger;
  }

  const QUERIES: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
    {},
    { groupBy: ['model'], percentiles: true },
    { groupBy: ['day', 'model'] },
    { groupBy: ['day', 'model'], timeZone: 'Europe/Berlin' },
    { groupBy: ['day'], timeZone: 'Asia/Kolkata' },
    { groupBy: ['day', 'outcome'], timeZone: 'Australia/Lord_Howe' },
    { groupBy: ['hour', 'provider'], timeZone: 'Asia/Kathmandu' },
    { groupBy: ['hour'], timeZone: 'America/St_Johns' },
    { groupBy: ['user'], limit: 2, orderBy: 'costUsd' },
    { groupBy: ['conversation'], limit: 7 },
    { groupBy: ['team', 'dimension.feature'] },
    { groupBy: ['day', 'dimension.feature'], filter: { team: [null, 'search'] } },
    { groupBy: ['user'], filter: { team: 'search' } },
    { groupBy: ['user', 'model'] },
    { filter: { user: 'alice' }, distinct: true },
    { filter: { user: [null, '用户'] } },
    { filter: { conversation: null }, groupBy: ['conversation'] },
    {
      filter: { service: 'chat-service', outcome: ['error', 'ok'] },
      groupBy: ['service', 'outcome'],
    },
    { distinct: true, compare: 'previous' },
  ];

  it('answers every question as the calls do, from roll-ups and open hours', async () => {
    const ledger = await ledgerOf(mixedRecords(700, START, END + 5 * HOUR_MS + HOUR_MS * 0.9));
    const result = await ledger.rollUp(NOW - 10 * 60_000);
    assert.equal(result.made, result.hours);
    assert.ok(result.open > 0);
    const borders = [
      { from: new Date(START + 90 * 60_000), to: new Date(END - 17 * 60_000) },
      { from: new Date(START + 26 * HOUR_MS) },
    ];
    for (const query of QUERIES) {
      for (const border of borders) await ledger.compare({ ...query, ...border });
    }
  });

  it('reads no call of a closed day', async () => {
    const ledger = await ledgerOf(mixedRecords(500, START, END));
    await ledger.rollUp();
    const before = await ledger.compare({ groupBy: ['user'] });
    await fetch(`${server.url}/query?db=${ledger.bucket}`, {
      method: 'POST',
      body: new URLSearchParams({ q: 'DROP MEASUREMENT llm_usage' }),
    });
    const reader = new InfluxUsageReader({ url: server.url, bucket: ledger.bucket });
    const after = await reader.summary({
      from: new Date(START),
      to: new Date(NOW),
      groupBy: ['user'],
    });
    await reader.close();
    assert.deepEqual(after, before);
  });

  it('sees calls that come after the roll-up of their hour at once, and makes it again', async () => {
    const records = mixedRecords(600, START, END);
    const late = records.filter((_, index) => index % 5 === 0);
    const ledger = await ledgerOf(records.filter((_, index) => index % 5 !== 0));
    await ledger.rollUp();
    await ledger.write(late);
    for (const query of QUERIES) await ledger.compare(query);
    // Calls of the same mark may be on their way.
    assert.equal((await ledger.rollUp(NOW + 60_000)).made, 0);
    const again = await ledger.rollUp(NOW + HOUR_MS);
    assert.ok(again.made > 0 && again.wrong === 0, JSON.stringify(again));
    for (const query of QUERIES) await ledger.compare(query);
    assert.equal((await ledger.rollUp(NOW + HOUR_MS)).made, 0);
  });

  it('finds and repairs what changed without a mark', async () => {
    const records = mixedRecords(300, START, END);
    const ledger = await ledgerOf(records.slice(10));
    await ledger.rollUp();
    await ledger.write(records.slice(0, 10), START);
    const result = await ledger.rollUp();
    assert.ok(result.wrong > 0, JSON.stringify(result));
    await ledger.compare({ groupBy: ['day', 'model'] });
  });

  it('verifies that each roll-up is that of its calls', async () => {
    const ledger = await ledgerOf(mixedRecords(300, START, END));
    await ledger.rollUp();
    assert.equal((await ledger.rollUp(NOW, { verify: true })).wrong, 0);
    const [first] = await ledger.rows('SELECT first(calls) FROM llm_usage');
    const [call] = await ledger.rows(
      `SELECT calls FROM llm_usage WHERE time = ${String(first?.['time'])} GROUP BY *`,
    );
    const tags = Object.entries(call ?? {})
      .filter(([name, value]) => !['time', 'calls'].includes(name) && value !== '')
      .map(([name, value]) => `,${name}=${String(value).replaceAll(/[ ,=]/g, '\\$&')}`)
      .join('');
    await fetch(`${server.url}/write?db=${ledger.bucket}`, {
      method: 'POST',
      body: `llm_usage${tags} cache_write_tokens=77i ${String(first?.['time'])}`,
    });
    assert.equal((await ledger.rollUp()).wrong, 0);
    assert.equal((await ledger.rollUp(NOW, { verify: true })).wrong, 1);
    assert.equal((await ledger.rollUp(NOW, { verify: true })).wrong, 0);
  });

  it('is right after a crash in the middle', async () => {
    const records = mixedRecords(600, START, END);
    const ledger = await ledgerOf(records);
    const abort = new AbortController();
    await assert.rejects(
      rollUpInfluxLedger({
        url: server.url,
        bucket: ledger.bucket,
        now: () => NOW,
        signal: abort.signal,
        onProgress: () => abort.abort(new Error('crash')),
      }),
      /crash/,
    );
    const [stored] = await ledger.rows('SELECT count(marks) FROM llm_usage_rollup_hours');
    assert.ok(Number(stored?.['count']) <= 24);
    for (const query of QUERIES) await ledger.compare(query);
    await ledger.rollUp();
    for (const query of QUERIES) await ledger.compare(query);
  });

  it('has the new costs after repricing', async () => {
    const ledger = await ledgerOf(mixedRecords(400, START, END));
    await ledger.rollUp();
    const costOf = (): number => 0.25;
    for (const bucket of [ledger.bucket, `${ledger.bucket}_calls`]) {
      await repriceInfluxLedger({ url: server.url, bucket, costOf, now: () => NOW });
    }
    const { total } = await ledger.compare({ groupBy: ['day', 'model'] });
    assert.ok((total.costUsd ?? 0) > 50);
    assert.equal((await ledger.rollUp(NOW, { verify: true })).made, 0);
  });

  it('keeps roll-ups from before units where no call has any, and makes all others again', async () => {
    const isPlain = ({ time }: UsageRecord): boolean => time.startsWith('2026-10-25');
    const records = mixedRecords(400, START, END).map((record) =>
      isPlain(record) ? { ...record, attributes: {} } : record,
    );
    const ledger = await ledgerOf(records);
    await ledger.rollUp();
    await withoutUnits(ledger);
    for (const query of QUERIES) {
      const { total } = await ledger.compare(query);
      assert.ok(query.filter !== undefined || total.units !== undefined);
    }
    const plainDay = "time >= '2026-10-25' AND time < '2026-10-26'";
    await fetch(`${server.url}/query?db=${ledger.bucket}`, {
      method: 'POST',
      body: new URLSearchParams({ q: `DELETE FROM llm_usage WHERE ${plainDay}` }),
    });
    // What the roll-ups of that day answer alone.
    for (const groupBy of [[], ['day', 'model'], ['user'], ['conversation']] as const) {
      await ledger.compare({ groupBy });
    }
    const { made } = await ledger.rollUp();
    const [current] = await ledger.rows(
      'SELECT count(version) FROM llm_usage_rollup_hours WHERE version = 2',
    );
    assert.ok(made > 0);
    assert.equal(current?.['count'], made);
    await ledger.compare({ groupBy: ['day', 'model'] });
  });

  /** As the release before wrote them. */
  async function withoutUnits(ledger: Ledger): Promise<void> {
    for (const measurement of ['llm_usage_rollup_hours', 'llm_usage_rollup_days']) {
      const lines: string[] = [];
      for (const row of await ledger.rows(
        `SELECT cells, "users", conversations FROM ${measurement}`,
      )) {
        const fields = (['cells', 'users', 'conversations'] as const).map((name) => {
          const table = unpackTable<StoredTable>(tableText([row[name]]) ?? '');
          const sums = Object.entries(table?.sums ?? {}).filter(([sum]) => !UNITS.includes(sum));
          return tableFields(name, packTable({ ...table, sums: Object.fromEntries(sums) }));
        });
        lines.push(`${measurement} version=1i,${fields.join(',')} ${String(row['time'])}`);
      }
      const body = lines.join('\n');
      const { status } = await fetch(`${server.url}/write?db=${ledger.bucket}`, {
        method: 'POST',
        body,
      });
      assert.equal(status, 204);
    }
  }

  it('forgets a user who is erased', async () => {
    const ledger = await ledgerOf(mixedRecords(400, START, END));
    await ledger.rollUp();
    const userId = "o'Brien";
    for (const bucket of [ledger.bucket, `${ledger.bucket}_calls`]) {
      await eraseInfluxUser({ url: server.url, bucket, userId });
    }
    const { rows } = await ledger.compare({ groupBy: ['user'] });
    assert.ok(rows.length > 0 && rows.every(({ user }) => user !== userId));
    assert.equal((await ledger.rollUp(NOW, { verify: true })).made, 0);
  });
});

/** Sums of floats depend on the order of their additions. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(12));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
}
