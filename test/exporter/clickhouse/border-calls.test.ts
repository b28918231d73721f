import assert from 'node:assert/strict';
import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import type { UsageQuery } from '../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { agree } from '../../conformance/usage-readers/usage-agreement.ts';
import {
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-11-10T00:20:00Z');
const END = START + 12 * HOUR_MS;
/** More in the last hour than are sent. */
const RECORDS: readonly UsageRecord[] = [
  ...mixedRecords(900, START, END),
  ...mixedRecords(6000, END - 15 * 60_000, END).map((record) => ({
    ...record,
    id: `crowd-${record.id}`,
  })),
];
const DATABASE = 'borders';
const PANELS: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
  { distinct: true },
  { groupBy: ['hour', 'model'] },
  { groupBy: ['user'] },
  { groupBy: ['model'], percentiles: true },
  { groupBy: ['outcome'], filter: { team: ['search', null] } },
  { groupBy: ['dimension.feature', 'agent'] },
];

describe('calls at the borders of what a ClickHouse reader keeps', () => {
  let server: TestServer;
  /** Counts what comes to the server. */
  let counter: Server;
  let statements = 0;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
    await clickHouseTables(server.url, DATABASE);
    await fillClickHouse(server.url, DATABASE, RECORDS);
    await rollUpClickHouse(server.url, DATABASE);
    counter = createServer((request, response) => {
      statements++;
      const { method, headers } = request;
      const forwarded = ask(`${server.url}${request.url ?? ''}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', () => response.destroy());
      request.pipe(forwarded);
    }).listen(0, '127.0.0.1');
  });
  after(async () => {
    counter?.close();
    await server?.stop();
  });

  async function asks(toMs: number, differences: readonly number[]): Promise<readonly number[]> {
    const { port } = counter.address() as AddressInfo;
    const reader = new ClickHouseUsageReader({
      url: `http://127.0.0.1:${port}`,
      database: DATABASE,
      maxAgeMs: 600_000,
    });
    const counts: number[] = [];
    for (const difference of differences) {
      const range = { from: new Date(START + difference), to: new Date(toMs - difference) };
      const [from, to] = [range.from.toISOString(), range.to.toISOString()];
      const wanted = RECORDS.filter(({ time }) => time >= from && time < to);
      statements = 0;
      for (const panel of PANELS) {
        const { total } = await reader.summary({ ...range, ...panel });
        if (panel.filter === undefined) agree(total, wanted);
        const teams = new Set(['search', undefined]);
        if (panel.filter !== undefined)
          agree(
            total,
            wanted.filter((one) => teams.has(one.team)),
          );
      }
      counts.push(statements);
    }
    await reader.close();
    return counts;
  }

  it('are read once for questions whose borders are others', async () => {
    const [first = 0, ...later] = await asks(END - HOUR_MS, [1, 60_001, 123_456]);
    assert.ok(first > PANELS.length);
    assert.deepEqual(later, [0, 0]);
  });

  it('are summed up by the server where there are more than it is worth to send', async () => {
    const [, ...later] = await asks(END, [1, 60_001]);
    assert.ok(later.every((count) => count >= PANELS.length));
  });
});
