import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forecastUsage } from '../../../../exporter/ledger/forecast/usage-forecast.ts';
import type { UsageQuery, UsageRow } from '../../../../exporter/ledger/usage-query.ts';
import { SqliteUsageReader } from '../../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../../../exporter/sqlite/write/ledger-file.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const DAY_MS = 86_400_000;

/** A reader with one row for each day from `first`, each a local date. */
function readerOf(
  first: string,
  rows: readonly Partial<UsageRow>[],
  queries: UsageQuery[] = [],
): { summary: (query: UsageQuery) => Promise<never> } {
  return {
    async summary(query) {
      queries.push(query);
      const days = rows.map((row, index) => ({
        calls: 1,
        unpricedCalls: 0,
        partialCostCalls: 0,
        ...row,
        day: new Date(Date.parse(first) + index * DAY_MS).toISOString().slice(0, 10),
      }));
      return { rows: days.filter(({ calls }) => calls > 0) } as unknown as never;
    },
  };
}

describe('forecastUsage', () => {
  it('adds what the rest of the month usually has to what was used', async () => {
    const rows = Array.from({ length: 60 }, () => ({ calls: 10, costUsd: 2, totalTokens: 100 }));
    // Today, the 60th day, has had half of its calls.
    rows.push({ calls: 5, costUsd: 1, totalTokens: 50 });
    const forecast = await forecastUsage(readerOf('2026-09-16', rows), {
      now: new Date('2026-11-15T12:00:00Z'),
    });
    assert.deepEqual(forecast, {
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-12-01T00:00:00.000Z',
      timeZone: 'UTC',
      time: '2026-11-15T12:00:00.000Z',
      historyFrom: '2026-09-17',
      requiredDays: 14,
      confidence: 0.8,
      metrics: {
        costUsd: { used: 29, days: 59, projected: 60, low: 60, high: 60 },
        totalTokens: { used: 1450, days: 59, projected: 3000, low: 3000, high: 3000 },
        calls: { used: 145, days: 59, projected: 300, low: 300, high: 300 },
      },
    });
  });

  it('states what was used, and no projection, while there is too little history', async () => {
    const rows = Array.from({ length: 14 }, () => ({ calls: 10 }));
    const forecast = await forecastUsage(readerOf('2026-11-02', rows), {
      now: new Date('2026-11-15T12:00:00Z'),
    });
    assert.deepEqual(forecast.metrics, { calls: { used: 140, days: 12 } });
    const none = await forecastUsage(readerOf('2026-11-02', []));
    assert.deepEqual(none.metrics.calls, { used: 0, days: 0 });
    assert.equal(none.historyFrom, undefined);
  });

  it('marks what is at least: days without token counts, and parts without a price', async () => {
    const day = { calls: 1, totalTokens: 7, costUsd: 1 };
    const rows = Array.from({ length: 40 }, (_, index) => ({
      ...(index === 36 ? { calls: 1 } : day),
      ...(index === 20 && { partialCostCalls: 1 }),
    }));
    const { metrics } = await forecastUsage(readerOf('2026-10-07', rows), {
      now: new Date('2026-11-15T12:00:00Z'),
    });
    assert.equal(metrics.totalTokens?.atLeast, true);
    assert.equal(metrics.totalTokens.used, 14 * 7);
    assert.equal(metrics.totalTokens.days, 37);
    assert.equal(metrics.costUsd?.atLeast, true);
    assert.equal(metrics.calls?.atLeast, undefined);
  });

  it('has the month and the days of the time zone, from a real ledger', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-forecast-'));
    const path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    const call = { inputTokens: 9, outputTokens: 1, totalTokens: 10, costUsd: 0.5 };
    // 20:00 UTC is the next day in Tokyo: 31 October is 1 November there.
    for (
      let day = Date.parse('2026-09-20T20:00:00Z');
      day < Date.UTC(2026, 10, 12);
      day += DAY_MS
    ) {
      file.write([
        usageRecord(day, { userId: 'ann', ...call, tokenSource: 'provider' }),
        usageRecord(day + 1, { userId: 'bob', ...call, tokenSource: 'provider' }),
      ]);
    }
    file.close();
    const reader = new SqliteUsageReader({ path });
    const now = new Date('2026-11-12T06:00:00Z');
    const at = async (timeZone: string, user?: string) =>
      await forecastUsage(reader, {
        now,
        timeZone,
        ...(user !== undefined && { filter: { user } }),
      });
    const tokyo = await at('Asia/Tokyo');
    assert.equal(tokyo.from, '2026-10-31T15:00:00.000Z');
    assert.equal(tokyo.to, '2026-11-30T15:00:00.000Z');
    // 12 evenings from 31 October on, and 30 days of November.
    assert.equal(tokyo.metrics.calls?.used, 24);
    assert.equal(tokyo.metrics.calls.projected, 60);
    const utc = await at('UTC');
    assert.equal(utc.metrics.calls?.used, 22);
    assert.equal(utc.metrics.calls.projected, 60);
    assert.equal((await at('UTC', 'ann')).metrics.costUsd?.projected, 15);
    await assert.rejects(at('Mars/Base'), { code: 'INVALID_OPTION' });
    await reader.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
