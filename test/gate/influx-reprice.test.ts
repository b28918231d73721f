import assert from 'node:assert/strict';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { repriceInfluxLedger } from '../../exporter/influxdb/reprice/influx-reprice.ts';
import {
  DAY_MS,
  FROM,
  ledgerToReprice,
  RANGE,
  repriced,
  sum,
  unpriced,
} from '../support/ledger-to-reprice.ts';
import { mixedRecords } from '../support/usage-ledger.ts';

/** More than one batch, and more than one week. */
const MANY = mixedRecords(10_500, FROM, FROM + 17 * DAY_MS);

describe('repriceInfluxLedger of many records', () => {
  const ledger = ledgerToReprice();
  const { points, fill } = ledger;

  beforeEach(async () => await fill(MANY));

  it('writes new costs and leaves every other field, tag and time as it was', async () => {
    const before = await points();
    assert.equal(before.length, MANY.length);
    const expected = MANY.map((record) => ({ record, now: repriced(record) }));
    const count = (wanted: (one: (typeof expected)[number]) => boolean): number =>
      expected.filter(wanted).length;
    const told: number[] = [];
    const result = await repriceInfluxLedger({
      ...ledger.options,
      onProgress: ({ calls }) => told.push(calls),
    });
    const after = await points();
    assert.deepEqual(unpriced(after), unpriced(before));
    const stored = new Map(after.map((row) => [row['record_id'], row]));
    for (const { record, now = record } of expected) {
      const row = stored.get(record.id);
      const { costUsd, costSource, costMissing = [] } = now;
      assert.equal(
        row?.['cost_usd'] ?? undefined,
        costUsd === undefined ? undefined : Math.round(costUsd * 1e9) / 1e9,
      );
      assert.equal(row?.['cost_source'] ?? undefined, costSource);
      assert.equal(row?.['cost_missing'] ?? '', costMissing.join(' '));
    }
    assert.deepEqual(result, {
      calls: MANY.length,
      changed: count(
        ({ record, now }) => now !== undefined && (record.provider === 'openai' || !record.costUsd),
      ),
      newlyPriced: count(({ record, now }) => now !== undefined && record.costUsd === undefined),
      kept: count(
        ({ record, now }) =>
          now === undefined && record.costUsd !== undefined && record.costSource !== 'provider',
      ),
      reported: count(({ record }) => record.costSource === 'provider'),
      unknown: count(
        ({ record, now }) =>
          now === undefined && record.costUsd === undefined && record.tokenSource !== undefined,
      ),
      unused: count(
        ({ record, now }) =>
          now === undefined && record.costUsd === undefined && record.tokenSource === undefined,
      ),
      refused: 0,
      beforeUsd: sum(before),
      afterUsd: sum(after),
    });
    const { changed, kept, newlyPriced, reported } = result;
    assert.ok(changed > 2000 && kept > 0 && newlyPriced > 0 && reported > 0);
    assert.deepEqual([told.length > 2, told.at(-1)], [true, MANY.length]);
    const reader = new InfluxUsageReader({ url: ledger.influxd.url, bucket: 'usage' });
    const { total } = await reader.summary(RANGE);
    assert.equal(total.costUsd, result.afterUsd);
    const missing = count(({ record, now = record }) => now.costMissing !== undefined);
    assert.equal(total.partialCostCalls, missing);
    const page = await reader.records({ ...RANGE, filter: { provider: 'openai' } });
    assert.ok(page.records.every(({ costMissing }) => costMissing?.includes('') !== true));
    await reader.close();
    assert.equal((await repriceInfluxLedger(ledger.options)).changed, 0);
  });
});
