import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

const START = Date.parse('2026-11-01T00:10:00Z');

describe('otel-token-meter reprice', () => {
  let folder: string;
  let path: string;
  let prices: string;

  /** 5,000 calls of an own model without a price, one of a known model, one that lost its price. */
  const records = (): UsageRecord[] => {
    const tokens = {
      inputTokens: 1000,
      outputTokens: 100,
      totalTokens: 1100,
      tokenSource: 'provider' as const,
    };
    return [
      ...Array.from({ length: 5000 }, (_, index) =>
        usageRecord(START + index * 1000, { provider: 'acme', requestModel: 'house-1', ...tokens }),
      ),
      usageRecord(START, {
        ...tokens,
        costUsd: 99,
        costSource: 'list',
        costMissing: ['web_searches'],
      }),
      usageRecord(START, { ...tokens, costUsd: 0.25, costSource: 'provider' }),
      usageRecord(START, {
        ...tokens,
        costUsd: 0.125,
        costSource: 'list',
        attributes: { 'token_meter.usage.web_searches': 2 },
      }),
      usageRecord(START, { provider: 'acme', requestModel: 'gone', costUsd: 0.5, ...tokens }),
      usageRecord(START, { provider: 'acme', requestModel: 'house-1', outcome: 'error' }),
    ];
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-reprice-'));
    path = join(folder, 'usage.db');
    prices = join(folder, 'prices.json');
    writeFileSync(
      prices,
      JSON.stringify({
        date: '2026-11-15',
        usdPer: { EUR: 1.1 },
        prices: [
          { model: 'house-*', currency: 'EUR', perMillionTokens: { input: 1, output: 10 } },
          { model: 'gpt-4o', perMillionTokens: { input: 2, output: 8 } },
        ],
      }),
    );
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(records());
    file.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Once from whole hours, once from single calls: the two must never come apart. */
  const costs = async (): Promise<(number | undefined)[]> => {
    const reader = new SqliteUsageReader({ path });
    const range = { from: new Date('2026-11-01'), to: new Date('2026-11-02') };
    const byHours = await reader.summary(range);
    const byCalls = await reader.summary({ ...range, percentiles: true, filter: { user: null } });
    await reader.close();
    assert.equal(byHours.total.unpricedCalls, byCalls.total.unpricedCalls);
    return [byHours.total.costUsd, byCalls.total.costUsd];
  };
  const reprice = async (...args: string[]): Promise<Record<string, unknown>> => {
    const io = memoryIo();
    const all = ['reprice', '--sqlite', path, '--prices', prices, '--json', ...args];
    assert.equal(await dispatch(all, io), 0, io.err());
    return JSON.parse(io.out()) as Record<string, unknown>;
  };

  it('gives calls the price of their model, and the hours with them', async () => {
    assert.deepEqual(await costs(), [99.875, 99.875]);
    const { prices: source, ...result } = await reprice();
    // 1000 × 1.10 + 100 × 11.00 a million: 0.0022 a call
    const after = 11 + 2 * 0.0028 + 0.25 + 0.5;
    assert.deepEqual(result, {
      calls: 5005,
      changed: 5002,
      kept: 1,
      reported: 1,
      unknown: 0,
      // The one that failed: it has no price to be found.
      unused: 1,
      refused: 0,
      newly_priced: 5000,
      before_usd: 99.875,
      after_usd: after,
      dry_run: false,
    });
    assert.equal((source as { overrides: string }).overrides, '2026-11-15');
    assert.deepEqual(await costs(), [after, after]);
    assert.equal((await reprice())['changed'], 0);
  });

  it('takes no failed call for one without a price', async () => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    const nobodys = { provider: 'acme', requestModel: 'nobodys' };
    file.write([usageRecord(START, { ...nobodys, inputTokens: 1, tokenSource: 'provider' })]);
    file.write([usageRecord(START, { ...nobodys, outcome: 'error', errorType: '429' })]);
    file.close();
    const { calls, unknown, unused } = await reprice();
    assert.deepEqual([calls, unknown, unused], [5007, 1, 2]);
  });

  it('brings source and missing parts up to date with the cost, calls and hours alike', async () => {
    await reprice();
    const reader = new SqliteUsageReader({ path });
    const range = { from: new Date('2026-11-01'), to: new Date('2026-11-02') };
    const { records: found } = await reader.records({ ...range, filter: { model: 'gpt-4o' } });
    const byHours = await reader.summary({ ...range, groupBy: ['model'] });
    await reader.close();
    const costOfCalls = found
      .map(({ costUsd, costSource, costMissing }) => [costUsd, costSource, costMissing])
      .toSorted(([a = 0], [b = 0]) => Number(a) - Number(b));
    // The part that was missing is no longer billed, another one is.
    assert.deepEqual(
      costOfCalls.slice(0, 2).toSorted(([, , a]) => (a === undefined ? -1 : 1)),
      [
        [0.0028, 'contract', undefined],
        [0.0028, 'contract', ['web_searches']],
      ],
    );
    assert.deepEqual(costOfCalls[2], [0.25, 'provider', undefined]);
    const row = byHours.rows.find(({ model }) => model === 'gpt-4o');
    assert.equal(row?.partialCostCalls, 1);
  });

  it('only tells what would change when it is asked to', async () => {
    assert.equal((await reprice('--dry-run'))['changed'], 5002);
    assert.deepEqual(await costs(), [99.875, 99.875]);
  });

  it('keeps to the range', async () => {
    const result = await reprice(
      '--since',
      '2026-11-01T01:00:00Z',
      '--until',
      '2026-11-01T01:10:00Z',
    );
    assert.equal(result['calls'], 600);
    const [byHours, byCalls] = await costs();
    assert.equal(byHours, 99.875 + 600 * 0.0022);
    assert.equal(byCalls, byHours);
  });

  it('applies free tiers from the start of a month', async () => {
    writeFileSync(
      prices,
      JSON.stringify({
        prices: [{ model: 'house-*', perMillionTokens: { input: 1, output: 10 } }],
        freeTiers: [{ model: 'house-*', per: 'month', calls: 4000 }],
      }),
    );
    const result = await reprice('--since', '2026-11-01');
    // 1,000 calls at 0.002, those of the list, and what keeps its cost.
    const after = 1000 * 0.002 + (0.0035 + 0.0235) + (0.25 + 0.5);
    assert.ok(Math.abs((result['after_usd'] as number) - after) < 1e-9);
    const influx = memoryIo({ INFLUX_URL: 'http://127.0.0.1:1' });
    assert.equal(await dispatch(['reprice', '--prices', prices], influx), 1);
    assert.match(influx.err(), /free tiers .* which only a SQLite ledger has/);
    const io = memoryIo();
    const late = [
      'reprice',
      '--sqlite',
      path,
      '--prices',
      prices,
      '--since',
      '2026-11-01T00:20:00Z',
    ];
    assert.equal(await dispatch(late, io), 1);
    assert.match(io.err(), /free tiers .* is within a period \(allowed: the start of a month/);
  });

  it('prints for people, and says what is wrong', async () => {
    const io = memoryIo();
    assert.equal(await dispatch(['reprice', '--sqlite', path, '--prices', prices], io), 0);
    assert.match(io.out(), /5,005 calls, prices: genai-prices .*contract prices 2026-11-15/);
    assert.match(io.out(), /5,002 changed, 5,000 of them had no price before/);
    assert.match(io.out(), /\$99\.88 before, \$11\.76 now/);
    const missing = join(folder, 'none.db');
    const wrong = memoryIo();
    assert.equal(await dispatch(['reprice', '--sqlite', missing], wrong), 1);
    assert.match(wrong.err(), /cannot reprice the usage ledger .*none\.db/);
    assert.equal(existsSync(missing), false);
    const influx = memoryIo({ INFLUX_URL: 'http://127.0.0.1:1' });
    assert.equal(await dispatch(['reprice'], influx), 1);
    assert.match(influx.err(), /InfluxDB at http:\/\/127\.0\.0\.1:1 does not answer/);
    const elsewhere = memoryIo({ TOKEN_METER_PROVIDER: 'otlp' });
    assert.equal(await dispatch(['reprice'], elsewhere), 1);
    assert.match(elsewhere.err(), /provider otlp cannot be read/);
  });

  it('reprices the configured InfluxDB as well', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd({ databases: ['usage'] });
    try {
      const writer = new UsageLineWriter({
        maxUserTags: 10,
        maxDimensionTags: 10,
        onCleaned: () => {},
      });
      const body = records().map((record) => String(writer.line(record)));
      const write = `${influxd.url}/write?db=usage&precision=n`;
      const written = await fetch(write, { method: 'POST', body: body.join('\n') });
      assert.equal(written.status, 204);
      const env = { INFLUX_URL: influxd.url, INFLUX_BUCKET: 'usage' };
      const told = async (...args: string[]): Promise<string> => {
        const io = memoryIo(env);
        assert.equal(await dispatch(['reprice', '--prices', prices, ...args], io), 0, io.err());
        return io.out();
      };
      assert.match(await told('--dry-run'), /5,002 would change, 5,000 of them/);
      assert.match(await told(), /5,002 changed, 5,000 of them had no price before/);
      assert.match(
        await told(),
        /0 changed[^]*1 keep a cost whose price is no longer known, 1 the cost that the provider reported, 0 have no price, 1 failed or used nothing\n\$11\.76 before, \$11\.76 now/,
      );
      // Another program wrote a tag that our lines cannot hold.
      const odd = `llm_usage,provider=acme,model=house-1,a=b\tc calls=1i,input_tokens=1i,output_tokens=1i ${START}000000`;
      await fetch(write, { method: 'POST', body: odd });
      const io = memoryIo(env);
      assert.equal(await dispatch(['reprice', '--prices', prices], io), 1);
      assert.match(
        io.out(),
        /\n1 keep their old cost: a tag of its series holds what no line can\n/,
      );
    } finally {
      await influxd.stop();
    }
  });
});
