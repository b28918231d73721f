import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../example-app/app.ts';
import { Access } from '../../example-app/middleware/access.ts';
import { usageRoutes } from '../../example-app/routes/usage.ts';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageGroup, UsageReader } from '../../exporter/ledger/usage-query.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { memoryIo } from '../cli/memory-io.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { mixedRecords } from '../support/usage-ledger.ts';

const FROM = Date.parse('2026-11-10T00:00:00Z');
const TO = Date.parse('2026-11-17T00:00:00Z');
const RECORDS = mixedRecords(4000, FROM, TO);
const GROUPS = ['user', 'model', 'conversation', 'day'] as const;
const TOKEN = 'a-token-for-tests';

const KEYS: Readonly<Record<(typeof GROUPS)[number], (record: UsageRecord) => string>> = {
  user: ({ userId = '' }) => userId,
  model: ({ requestModel }) => requestModel,
  conversation: ({ conversationId = '' }) => conversationId,
  day: ({ time }) => time.slice(0, 10),
};

/** Nano-dollars; a cost is that many, whatever its last digit in binary. */
const nanos = (usd: number): bigint => BigInt(Math.round(usd * 1e9));

type Sums = Map<string, { nanos: bigint; partial: number }>;

/** Of the records themselves, in whole numbers. */
function expected(group: (typeof GROUPS)[number]): Sums {
  const sums: Sums = new Map();
  for (const record of RECORDS) {
    const key = KEYS[group](record);
    const sum = sums.get(key) ?? { nanos: 0n, partial: 0 };
    sums.set(key, {
      nanos: sum.nanos + nanos(record.costUsd ?? 0),
      partial: sum.partial + Number(record.costMissing !== undefined),
    });
  }
  return sums;
}

interface Row {
  readonly cost_usd?: number | undefined;
  readonly partial_cost_calls: number;
}

const keyOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function sumsOf(rows: readonly (Row & Readonly<Record<string, unknown>>)[], group: string): Sums {
  return new Map(
    rows.map((row) => [
      keyOf(row[group]),
      { nanos: nanos(row.cost_usd ?? 0), partial: row.partial_cost_calls },
    ]),
  );
}

/** The rows of a CSV file; cells without line breaks. */
function csvRows(text: string): Record<string, string>[] {
  const [head = '', ...lines] = text.replace('\uFEFF', '').trimEnd().split('\r\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line
      .match(/(?:"(?:[^"]|"")*"|[^",]+|(?<=,|^)(?=,|$))/g)
      ?.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
    return Object.fromEntries(names.map((name, index) => [name, cells?.[index] ?? '']));
  });
}

describe('sums of cost', function () {
  this.timeout(60_000);
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-sums-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(RECORDS);
    file.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const summed = async (reader: UsageReader, group: UsageGroup): Promise<Sums> => {
    const { rows, total } = await reader.summary({
      from: new Date(FROM),
      to: new Date(TO),
      groupBy: [group],
      limit: 1000,
    });
    const sums = sumsOf(
      rows.map(({ costUsd, partialCostCalls, ...row }) => ({
        ...row,
        cost_usd: costUsd,
        partial_cost_calls: partialCostCalls,
      })),
      group,
    );
    const whole = [...sums.values()].reduce((sum, row) => sum + row.nanos, 0n);
    assert.equal(nanos(total.costUsd ?? 0), whole, `total by ${group}`);
    return sums;
  };

  it('equal the records in SQLite, to the nano-dollar', async () => {
    const reader = new SqliteUsageReader({ path });
    for (const group of GROUPS) {
      assert.deepEqual(await summed(reader, group), expected(group), group);
    }
    await reader.close();
  });

  it('equal the records in InfluxDB', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd({ databases: ['usage'] });
    try {
      const writer = new UsageLineWriter({
        maxUserTags: 3,
        maxDimensionTags: 10,
        onCleaned: () => {},
      });
      const body = RECORDS.map((record) => String(writer.line(record))).join('\n');
      const write = `${influxd.url}/write?db=usage&precision=n`;
      assert.equal((await fetch(write, { method: 'POST', body })).status, 204);
      const reader = new InfluxUsageReader({ url: influxd.url, bucket: 'usage' });
      for (const group of GROUPS) {
        assert.deepEqual(await summed(reader, group), expected(group), group);
      }
      await reader.close();
    } finally {
      await influxd.stop();
    }
  });

  it('equal the records on the command line', async () => {
    const range = ['--since', '2026-11-10', '--until', '2026-11-17', '--tz', 'UTC'];
    for (const group of GROUPS) {
      const report = async (format: string): Promise<string> => {
        const io = memoryIo();
        const limit = ['--limit', '1000', format, '--sqlite', path];
        assert.equal(await dispatch(['report', group, ...range, ...limit], io), 0, io.err());
        return io.out();
      };
      const { rows } = JSON.parse(await report('--json')) as {
        rows: (Row & Record<string, unknown>)[];
      };
      assert.deepEqual(sumsOf(rows, group), expected(group), `${group} as JSON`);
      const csv = csvRows(await report('--csv')).map((row) => ({
        ...row,
        cost_usd: Number(row['cost_usd']),
        partial_cost_calls: Number(row['partial_cost_calls']),
      }));
      assert.deepEqual(sumsOf(csv, group), expected(group), `${group} as CSV`);
    }
  });

  it('equal the records in the API of the dashboard, and in its CSV', async () => {
    const reader = new SqliteUsageReader({ path });
    const app = createApp({
      access: new Access({ adminTokens: 'root:admin-token', viewerTokens: TOKEN }),
      routes: usageRoutes({ reader, now: () => new Date(TO) }),
      onError: (error) => assert.fail(error as Error),
    });
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const get = async (query: string): Promise<Response> =>
        await fetch(
          `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/usage/${query}`,
          {
            headers: { authorization: `Bearer ${TOKEN}` },
          },
        );
      const range = 'from=2026-11-10T00:00:00Z&to=2026-11-17T00:00:00Z';
      for (const group of GROUPS) {
        const answer = await get(`summary?${range}&group_by=${group}&limit=1000`);
        const { rows } = (await answer.json()) as { rows: (Row & Record<string, unknown>)[] };
        assert.deepEqual(sumsOf(rows, group), expected(group), group);
      }
      const rows = csvRows(await (await get(`export.csv?${range}`)).text());
      assert.equal(rows.length, RECORDS.length);
      const inCsv = rows.reduce((sum, row) => sum + nanos(Number(row['cost_usd'])), 0n);
      const inRecords = RECORDS.reduce((sum, { costUsd = 0 }) => sum + nanos(costUsd), 0n);
      assert.equal(inCsv, inRecords);
      const partial = rows.filter((row) => row['cost_missing'] !== '').length;
      assert.equal(partial, RECORDS.filter(({ costMissing }) => costMissing !== undefined).length);
      const sources = new Set(rows.map((row) => row['cost_source']));
      assert.deepEqual(sources, new Set(['', 'contract', 'estimated', 'list', 'provider']));
      const costs = (await (await get(`costs?${range}`)).json()) as {
        total: { cost_usd: number; partial_cost_calls: number };
      };
      assert.equal(nanos(costs.total.cost_usd), inRecords);
      assert.equal(costs.total.partial_cost_calls, partial);
    } finally {
      server.closeAllConnections();
      server.close();
      await reader.close();
    }
  });
});
