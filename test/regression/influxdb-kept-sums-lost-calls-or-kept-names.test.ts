import assert from 'node:assert/strict';
import { eraseInfluxUser } from '../../exporter/influxdb/erase/influx-erase.ts';
import { resolveInfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { markErasure, rollUpInfluxLedger } from '../../exporter/influxdb/rollup/influx-roll-up.ts';
import { LedgerClients } from '../../exporter/influxdb/rollup/ledger-clients.ts';
import { RollUpMaker } from '../../exporter/influxdb/rollup/roll-up-maker.ts';
import { RollUpPoints } from '../../exporter/influxdb/rollup/roll-up-points.ts';
import { RollUpWriter } from '../../exporter/influxdb/rollup/roll-up-writer.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import type { UsageSummary } from '../../exporter/ledger/usage-query.ts';
import { separateSums } from '../support/separate-sums.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS;
/** Calls of these hours expire, */
const OLD = [1, 2, 3];
/** and those of these do not. */
const KEPT = [10, 11];

interface Access {
  readonly url: string;
  readonly bucket: string;
  readonly rollUpBucket?: string;
  readonly spool: false;
}

describe('sums in a bucket of their own, InfluxDB 1.x', () => {
  const separate = separateSums();

  beforeEach(async () => {
    // Within their hours, without marks.
    await put([...OLD, ...KEPT], ['mallory', 'bob'], { ...beside(), rollUps: false });
  });

  const beside = (): Access => {
    const { url, bucket, spool } = separate();
    return { url, bucket, spool };
  };
  const target = (): ReturnType<typeof resolveInfluxOptions> =>
    resolveInfluxOptions('test', separate());

  async function put(
    hours: readonly number[],
    users: readonly string[],
    options: Access & { rollUps?: boolean } = separate(),
  ): Promise<void> {
    const processor = new InfluxUsageProcessor(options);
    for (const hour of hours) {
      for (const [index, userId] of users.entries()) {
        const time = START + hour * HOUR_MS + (users.length + index) * 60_000;
        processor.onEmit(logOf(usageRecord(time, { userId })));
      }
    }
    await processor.forceFlush();
    assert.equal(processor.status().delivered, hours.length * users.length);
    await processor.shutdown();
  }

  async function rollUp(hoursLater = 0): Promise<void> {
    const to = new Date(START + DAY_MS);
    const now = (): number => Date.now() + hoursLater * HOUR_MS;
    await rollUpInfluxLedger({ ...separate(), from: new Date(START), to, now });
  }

  const erase = async (options = separate() as Access): Promise<void> =>
    void (await eraseInfluxUser({ ...options, userId: 'mallory' }));

  /** An erasure that ends before it deletes anything. */
  async function eraseInVain(by: string): Promise<void> {
    const hours = new Set([...OLD, ...KEPT].map((hour) => START + hour * HOUR_MS));
    await markErasure(target(), { hours, userId: 'mallory', by }, undefined);
  }

  async function expire(): Promise<void> {
    const q = `DELETE FROM llm_usage WHERE time < ${START + 5 * HOUR_MS}000000`;
    const body = new URLSearchParams({ q });
    const answer = await fetch(`${separate().url}/query?db=${separate().bucket}`, {
      method: 'POST',
      body,
    });
    assert.doesNotMatch(await answer.text(), /error/);
  }

  const ranges = (...hours: readonly [from: number, to: number][]): UsageSummary['missing'] =>
    hours.map(([from, to]) => ({
      from: new Date(START + from * HOUR_MS).toISOString(),
      to: new Date(START + to * HOUR_MS).toISOString(),
    }));

  /** Calls by user, of the hours that expire, and what they lack. */
  async function assertOld(
    users: Readonly<Record<string, number>>,
    missing?: UsageSummary['missing'],
  ): Promise<void> {
    const reader = new InfluxUsageReader({ ...separate(), maxAgeMs: 0 });
    const to = new Date(START + 5 * HOUR_MS);
    const summary = await reader.summary({ from: new Date(START), to, groupBy: ['user'] });
    await reader.close();
    const found = summary.rows.map(({ user, calls }) => [String(user), calls]);
    assert.deepEqual(Object.fromEntries(found), users);
    assert.deepEqual(summary.missing, missing);
  }

  /** As they are stored. */
  async function namesIn(): Promise<readonly unknown[]> {
    const clients = new LedgerClients(target());
    const names: unknown[] = [];
    const range = { fromMs: START, toMs: START + DAY_MS };
    for await (const [, , table] of new RollUpPoints(clients, undefined).users(range)) {
      names.push(...(table?.keys.flat() ?? []));
    }
    clients.close();
    return [...new Set(names)];
  }

  it('lose no call by erasures that delete nothing, however often they are tried', async () => {
    await rollUp();
    await eraseInVain('first');
    await eraseInVain('second');
    await assertOld({ mallory: 3, bob: 3 });
    await expire();
    await assertOld({ null: 3, bob: 3 });
    await rollUp(1);
    await assertOld({ null: 3, bob: 3 });
  });

  it('lose no call of others where calls of the erased user came late', async () => {
    await rollUp();
    await put([3], ['mallory']);
    await eraseInVain('first');
    await erase();
    await assertOld({ bob: 3 });
    await expire();
    await assertOld({ bob: 3 }, ranges([3, 4]));
  });

  it('do not get back the name of an erased user where calls came late', async () => {
    await rollUp();
    await put([2], ['bob']);
    await erase();
    await assertOld({ bob: 4 });
    assert.deepEqual(await namesIn(), ['bob']);
    await expire();
    await assertOld({ bob: 4 }, ranges([2, 3]));
  });

  it('do not get back the name of an erased user by a process that was summing up', async () => {
    const clients = new LedgerClients(target());
    const writer = new RollUpWriter(clients.place);
    const late: string[] = [];
    const slow = {
      write: async (lines: readonly string[]) => {
        if (lines.some((line) => line.includes('_hours'))) late.push(...lines);
        else await writer.write(lines);
      },
    } as RollUpWriter;
    try {
      const maker = new RollUpMaker(clients, slow, Date.now);
      await maker.run({ fromMs: START, toMs: START + DAY_MS });
      await erase();
      await writer.write(late);
    } finally {
      clients.close();
      writer.close();
    }
    await assertOld({ bob: 3 });
    await expire();
    await assertOld({ null: 3, bob: 3 });
    await rollUp(1);
    await assertOld({ null: 3, bob: 3 });
    assert.ok(!(await namesIn()).includes('mallory'));
  });

  it('say that they lack calls which expired before they were added, after the last hour that is whole', async () => {
    await rollUp();
    await put([4], ['bob']);
    await expire();
    for (const hours of [0, 1, 2]) {
      await rollUp(hours);
      await assertOld({ mallory: 3, bob: 3 }, ranges([4, 5]));
    }
  });

  it('say so too where calls expired before they were summed up at all', async () => {
    await rollUp();
    const body = new URLSearchParams({
      q: `DELETE FROM llm_usage_rollup_hours WHERE time >= ${START + 3 * HOUR_MS}000000; DELETE FROM llm_usage_rollup_days`,
    });
    await fetch(`${separate().url}/query?db=${separate().rollUpBucket}`, { method: 'POST', body });
    await expire();
    for (const hours of [0, 1]) {
      await assertOld({ mallory: 2, bob: 2 }, ranges([3, 5]));
      await rollUp(hours);
    }
  });

  it('are those of the calls after a time in which they were kept with them', async () => {
    await rollUp();
    await rollUpInfluxLedger({ ...beside(), from: new Date(START), to: new Date(START + DAY_MS) });
    await put([2], ['carol'], beside());
    await erase(beside());
    await assertOld({ bob: 3, carol: 1 });
  });
});
