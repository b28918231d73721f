import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { rollUpInfluxLedger } from '../../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageQuery } from '../../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { until } from '../../../support/until.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';

const START = Date.parse('2026-10-20T07:00:00Z');
/** Of the views: the period before has calls as well. */
const FROM = Date.parse('2026-10-23T08:20:00Z');
const END = Date.parse('2026-10-26T06:40:00Z');
const PANELS: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
  { compare: 'previous', distinct: true },
  { groupBy: ['day', 'model'], timeZone: 'Europe/Berlin' },
  { groupBy: ['user'], limit: 10, compare: 'previous' },
  { groupBy: ['conversation'], limit: 10 },
  { groupBy: ['model'], percentiles: true },
];

describe('many viewers of InfluxDB', () => {
  let server: TestServer;
  let gate: Server;
  let url: string;
  /** Statements that the server was asked. */
  const asked: string[] = [];
  let running = 0;
  let mostRunning = 0;
  let ended = 0;
  let delayMs = 0;
  let records: readonly UsageRecord[];

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['llm_metrics'] });
    records = mixedRecords(1200, START, END);
    await write(records);
    await rollUpInfluxLedger({ url: server.url, bucket: 'llm_metrics', now: () => END });
    gate = createServer((incoming, outgoing) => {
      running++;
      mostRunning = Math.max(mostRunning, running);
      outgoing.on('close', () => {
        running--;
        if (!outgoing.writableFinished) ended++;
      });
      const body: Buffer[] = [];
      incoming.on('data', (bytes: Buffer) => body.push(bytes));
      incoming.on('end', () => {
        const { method, headers } = incoming;
        const isQuery = incoming.url?.startsWith('/query') === true;
        const form = new URLSearchParams(Buffer.concat(body).toString());
        if (isQuery) asked.push(form.get('q') ?? '');
        setTimeout(
          () => {
            const onward = request(
              `${server.url}${incoming.url}`,
              { method, headers },
              (answer) => {
                outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
                answer.pipe(outgoing);
              },
            );
            onward.on('error', () => outgoing.destroy());
            onward.end(Buffer.concat(body));
          },
          isQuery ? delayMs : 0,
        );
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => gate.once('listening', resolve));
    url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
  });
  after(async () => {
    gate?.closeAllConnections();
    gate?.close();
    await server?.stop();
  });
  beforeEach(() => {
    asked.length = 0;
    mostRunning = 0;
    ended = 0;
    delayMs = 0;
  });

  async function write(calls: readonly UsageRecord[]): Promise<void> {
    const lines = new UsageLineWriter({ maxUserTags: 9, maxDimensionTags: 9, onCleaned() {} });
    const body = calls.map((record) => `${String(lines.line(record))}\n`).join('');
    const { status } = await fetch(`${server.url}/write?db=llm_metrics`, { method: 'POST', body });
    assert.equal(status, 204);
  }

  const readerOf = (options: { maxAgeMs?: number } = {}): InfluxUsageReader =>
    new InfluxUsageReader({ url, bucket: 'llm_metrics', now: () => END, ...options });
  const panelOf = (panel: Omit<UsageQuery, 'from' | 'to'>, viewer: number): UsageQuery => ({
    ...panel,
    from: new Date(FROM + viewer),
    to: new Date(END - viewer),
    askedBy: `viewer ${viewer}`,
  });

  it('read roll-ups and open hours once for all of them', async () => {
    // Longer than the test takes on a busy machine.
    const reader = readerOf({ maxAgeMs: 120_000 });
    delayMs = 5;
    try {
      const answers = await Promise.all(
        Array.from({ length: 10 }, async (_, viewer) => {
          return await Promise.all(
            PANELS.map(async (panel) => await reader.summary(panelOf(panel, viewer))),
          );
        }),
      );
      for (const [viewer, panels] of answers.entries()) {
        const calls = records.filter(({ time }) => {
          const at = Date.parse(time);
          return at >= FROM + viewer && at < END - viewer;
        }).length;
        for (const { total } of panels) assert.equal(total.calls, calls);
      }
      // A panel alone takes about ten, and there are fifty.
      assert.ok(asked.length < 60, `${asked.length} statements`);
      const scans = asked.filter((q) => q.includes('FROM "llm_usage" '));
      assert.ok(scans.length <= 4, scans.join('\n'));
      assert.ok(mostRunning <= 12, `${mostRunning} requests at once`);
    } finally {
      await reader.close();
    }
  });

  it('ask at once no more than the server can do', async () => {
    const reader = readerOf({ maxAgeMs: 0 });
    delayMs = 20;
    try {
      // No roll-up has both.
      const groupBy = ['user', 'model'] as const;
      await Promise.all(
        Array.from(
          { length: 30 },
          async (_, viewer) => await reader.summary(panelOf({ groupBy }, viewer)),
        ),
      );
      assert.ok(mostRunning <= 6, `${mostRunning} requests at once`);
    } finally {
      await reader.close();
    }
  });

  it('see a new call within a second, and at once where they ask for it', async () => {
    const [kept, fresh] = [readerOf(), readerOf({ maxAgeMs: 0 })];
    const query = { from: new Date(START), to: new Date(END) };
    const callsBy = async (reader: InfluxUsageReader): Promise<number> =>
      (await reader.summary(query)).total.calls;
    try {
      const before = await callsBy(fresh);
      assert.equal(await callsBy(kept), before);
      await write(mixedRecords(1, END - 60_000, END - 59_000));
      assert.equal(await callsBy(fresh), before + 1);
      await sleep(1050);
      assert.equal(await callsBy(kept), before + 1);
    } finally {
      await kept.close();
      await fresh.close();
    }
  });

  it('leave no request behind when all of them go', async () => {
    const reader = readerOf();
    delayMs = 60_000;
    const viewers = Array.from({ length: 3 }, () => new AbortController());
    const answers = viewers.map(
      async ({ signal }) =>
        await reader.summary({ ...panelOf(PANELS[3] ?? {}, 0), signal }).catch(String),
    );
    try {
      await until(() => asked.length > 0);
      viewers[0]?.abort(new Error('the first left'));
      viewers[1]?.abort(new Error('the second left'));
      await sleep(50);
      assert.equal(ended, 0, 'the third waits');
      viewers[2]?.abort(new Error('the third left'));
      assert.deepEqual(await Promise.all(answers), [
        'Error: the first left',
        'Error: the second left',
        'Error: the third left',
      ]);
      await until(() => running === 0);
    } finally {
      await reader.close();
    }
  });
});
