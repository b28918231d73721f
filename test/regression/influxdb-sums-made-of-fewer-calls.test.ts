import assert from 'node:assert/strict';
import { eraseInfluxUser } from '../../exporter/influxdb/erase/influx-erase.ts';
import { resolveInfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { markErasure, rollUpInfluxLedger } from '../../exporter/influxdb/rollup/influx-roll-up.ts';
import { LateMarks, ON_THE_WAY } from '../../exporter/influxdb/rollup/late-marks.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageSummary } from '../../exporter/ledger/usage-query.ts';
import type { RollUpResult } from '../../exporter/ledger/roll-up-run.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { rollUpPlace } from '../support/influx-roll-ups.ts';
import { separateSums } from '../support/separate-sums.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.parse('2026-10-01T00:00:00Z');
const END = START + 4 * DAY_MS;

/** Four days of ten hours with five calls each; the first user made those of two hours. */
const RECORDS = Array.from({ length: 200 }, (_, index) => {
  const [day, hour, minute] = [Math.floor(index / 50), Math.floor(index / 5) % 10, index % 5];
  return call(day * DAY_MS + (hour + 2) * HOUR_MS + minute * 60_000);
});

function call(sinceStartMs: number): UsageRecord {
  const isFirst = sinceStartMs < 4 * HOUR_MS;
  return usageRecord(START + sinceStartMs, {
    userId: isFirst ? 'first' : 'bob',
    requestModel: Math.floor(sinceStartMs / 60_000) % 2 === 0 ? 'even' : 'odd',
  });
}

describe('sums in a bucket of their own, InfluxDB 1.x, whose calls are fewer than they were', () => {
  const access = separateSums();

  beforeEach(async () => {
    await put(RECORDS);
    await rollUp();
  });

  async function put(
    records: readonly UsageRecord[],
  ): Promise<ReturnType<InfluxUsageProcessor['status']>['dropped']> {
    const processor = new InfluxUsageProcessor(access());
    for (const record of records) processor.onEmit(logOf(record));
    await processor.forceFlush();
    const { dropped } = processor.status();
    await processor.shutdown();
    return dropped;
  }

  /** By a process that does not know what is gone. */
  async function putUnaware(record: UsageRecord): Promise<void> {
    const lines = new UsageLineWriter({ maxUserTags: 3, maxDimensionTags: 3, onCleaned() {} });
    const body = Buffer.from(`${String(lines.line(record))}\n`);
    const marks = new LateMarks(rollUpPlace(access().bucket, access()), ON_THE_WAY);
    const mark = marks.before([{ body, lines: 1, multiline: false }])?.chunk.body;
    for (const [database, text] of [
      [access().rollUpBucket, mark],
      [access().bucket, body],
    ] as const) {
      const answer = await fetch(`${access().url}/write?db=${database}`, {
        method: 'POST',
        body: String(text),
      });
      assert.equal(answer.status, 204);
    }
  }

  const rollUp = async (verify = false): Promise<RollUpResult> =>
    await rollUpInfluxLedger({ ...access(), verify, now: () => Date.now() + HOUR_MS });

  async function ask(): Promise<UsageSummary> {
    const reader = new InfluxUsageReader({ ...access(), maxAgeMs: 0 });
    try {
      return await reader.summary({ from: new Date(START), to: new Date(END), groupBy: ['user'] });
    } finally {
      await reader.close();
    }
  }

  const callsOf = ({ rows }: UsageSummary, userId: string): number =>
    rows.find(({ user }) => user === userId)?.calls ?? 0;

  async function deleteCalls(condition: string): Promise<void> {
    const body = new URLSearchParams({ q: `DELETE FROM llm_usage WHERE ${condition}` });
    const answer = await fetch(`${access().url}/query?db=${access().bucket}`, {
      method: 'POST',
      body,
    });
    assert.doesNotMatch(await answer.text(), /error/);
  }

  /** At once, after the next roll-up, and after every hour was summed up again. */
  async function assertStays(calls: number, missing: UsageSummary['missing']): Promise<void> {
    for (const next of [undefined, false, true]) {
      if (next !== undefined) await rollUp(next);
      const summary = await ask();
      assert.deepEqual([summary.total.calls, summary.missing], [calls, missing]);
    }
  }

  it('stay after late calls of their first hours, which are dropped', async () => {
    await deleteCalls("time < '2026-10-03T00:00:00Z'");
    const late = [call(2.5 * HOUR_MS), call(1.5 * HOUR_MS), call(DAY_MS + 5.5 * HOUR_MS)];
    assert.deepEqual(await put(late), { beyond_retention: 3 });
    await assertStays(200, undefined);
    assert.deepEqual(await put([call(2 * DAY_MS + 5.5 * HOUR_MS)]), {});
    await assertStays(201, undefined);
  });

  it('stay after a late call by a process that does not know, and say what they lack', async () => {
    await deleteCalls("time < '2026-10-03T00:00:00Z'");
    await putUnaware(call(2.5 * HOUR_MS));
    await assertStays(200, [{ from: '2026-10-01T02:00:00.000Z', to: '2026-10-01T03:00:00.000Z' }]);
  });

  it('stay where calls in the middle were deleted, and say what they lack', async () => {
    const range = "time >= '2026-10-04T05:00:00Z' AND time < '2026-10-04T07:00:00Z'";
    await deleteCalls(range);
    await assertStays(200, undefined);
    assert.deepEqual(await put([call(3 * DAY_MS + 5.5 * HOUR_MS)]), {});
    await assertStays(200, [{ from: '2026-10-04T05:00:00.000Z', to: '2026-10-04T06:00:00.000Z' }]);
    // Hours around it are no less open to late calls than before.
    assert.deepEqual(await put([call(9.5 * HOUR_MS)]), {});
    assert.equal((await ask()).total.calls, 201);
    await eraseInfluxUser({ ...access(), userId: 'bob' });
    assert.equal(callsOf(await ask(), 'bob'), 0);
  });

  it('lose an erased user whose erasure ended before they were made again', async () => {
    const ended = new AbortController();
    await assert.rejects(
      eraseInfluxUser({
        ...access(),
        userId: 'first',
        signal: ended.signal,
        onProgress: (erased, found) => {
          if (erased === found) ended.abort(new Error('ended'));
        },
      }),
      /ended/,
    );
    await assertStays(190, undefined);
    assert.equal(callsOf(await ask(), 'first'), 0);
    assert.deepEqual(await put([call(3.5 * HOUR_MS)]), {}, 'none of its hours is gone');
  });

  it('keep, and lose with the next erasure, what an ended one has left', async () => {
    const ended = new AbortController();
    const first = eraseInfluxUser({
      ...access(),
      userId: 'first',
      signal: ended.signal,
      onProgress: () => ended.abort(new Error('ended')),
    });
    await assert.rejects(first, /ended/);
    const left = callsOf(await ask(), 'first');
    assert.ok(left > 0 && left < 10, String(left));
    await assertStays(190 + left, undefined);
    const { erased } = await eraseInfluxUser({ ...access(), userId: 'first' });
    assert.equal(erased, left);
    await assertStays(190, undefined);
  });

  it('are not made again while an erasure is under way, and then of what it has left', async () => {
    const target = resolveInfluxOptions('test', access());
    const hours = [2, 3].map((hour) => START + hour * HOUR_MS);
    await markErasure(target, { hours: new Set(hours), userId: 'first', by: 'erasure' }, undefined);
    const during = await rollUpInfluxLedger({ ...access(), now: Date.now });
    assert.equal(during.made, 0);
    await deleteCalls("time < '2026-10-01T04:00:00Z'");
    await rollUpInfluxLedger({ ...access(), now: Date.now });
    assert.equal((await ask()).total.calls, 190);
    const after = await rollUp();
    assert.equal(after.made, 2);
    await assertStays(190, undefined);
  });
});
