import assert from 'node:assert/strict';
import type { InfluxRepriceOptions } from '../../exporter/influxdb/reprice/influx-reprice.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import type { RepricedCost } from '../../exporter/ledger/reprice-tally.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { influxExecute, influxRows } from './influx.ts';
import { requireServer, startInfluxd, type TestServer } from './servers.ts';

export const DAY_MS = 86_400_000;
export const FROM = Date.parse('2026-10-20T00:00:00Z');
export const RANGE = { from: new Date(FROM), to: new Date(FROM + 20 * DAY_MS) };

/** Prices that know two providers: one has a part without a price, the other has the old cost. */
const costOf = (record: UsageRecord): RepricedCost | undefined => {
  const { provider, inputTokens, costUsd, costSource = 'list', costMissing } = record;
  if (provider === 'openai') {
    return inputTokens === undefined
      ? undefined
      : {
          costUsd: inputTokens * 3e-9,
          costSource: 'list',
          ...(inputTokens % 2 === 0 && { costMissing: ['code_"executions"', 'web_searches'] }),
        };
  }
  return provider === 'anthropic' && costUsd !== undefined
    ? { costUsd, costSource, ...(costMissing && { costMissing }) }
    : undefined;
};
/** What a call costs afterwards. */
export const repriced = (record: UsageRecord): RepricedCost | undefined =>
  record.costSource === 'provider' ? undefined : costOf(record);

export type Row = Record<string, unknown>;

/** Without what a price changes. */
export const unpriced = (rows: readonly Row[]): Row[] =>
  rows.map((row) => ({
    ...row,
    cost_usd: undefined,
    cost_source: undefined,
    cost_missing: undefined,
  }));
/** In US dollars. */
export const sum = (rows: readonly Row[]): number =>
  rows.reduce((nanos, { cost_usd }) => nanos + Math.round(Number(cost_usd ?? 0) * 1e9), 0) / 1e9;

export interface LedgerToReprice {
  readonly influxd: TestServer;
  readonly options: InfluxRepriceOptions;
  readonly post: (path: string, body?: string) => Promise<void>;
  /** Every point with every tag of its series and every field. */
  readonly points: () => Promise<Row[]>;
  readonly fill: (records: readonly UsageRecord[]) => Promise<void>;
}

/** Registers hooks for a suite that has an empty ledger for each test. */
export function ledgerToReprice(): LedgerToReprice {
  let influxd: TestServer;

  before(async function () {
    requireServer(this, 'influxd');
    influxd = await startInfluxd();
  });
  after(async () => await influxd?.stop());
  beforeEach(async () => await influxExecute(influxd.url, 'CREATE DATABASE usage'));
  afterEach(async () => await influxExecute(influxd.url, 'DROP DATABASE usage'));

  const post = async (path: string, body = ''): Promise<void> => {
    const answer = await fetch(`${influxd.url}${path}`, { method: 'POST', body });
    assert.ok(answer.ok, await answer.text());
  };
  const points = async (): Promise<Row[]> =>
    await influxRows(influxd.url, 'usage', 'SELECT *::field FROM llm_usage GROUP BY *');
  const fill = async (records: readonly UsageRecord[]): Promise<void> => {
    const tags = { region: 'eu west,1', path: 'C:\\logs' };
    const writer = new UsageLineWriter({
      tags,
      maxUserTags: 3,
      maxDimensionTags: 10,
      onCleaned: () => {},
    });
    const lines = records.map((record) => String(writer.line(record, 'prod')));
    await post('/write?db=usage&precision=n', lines.join('\n'));
  };
  return {
    get influxd() {
      return influxd;
    },
    get options() {
      return { url: influxd.url, bucket: 'usage', costOf };
    },
    post,
    points,
    fill,
  };
}
