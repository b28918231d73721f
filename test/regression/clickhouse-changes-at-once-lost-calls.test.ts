import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eraseClickHouseUser } from '../../exporter/clickhouse/erase/clickhouse-erase.ts';
import { ClickHouseUsageReader } from '../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { repriceClickHouseLedger } from '../../exporter/clickhouse/reprice/clickhouse-reprice.ts';
import { setUpClickHouse } from '../../exporter/clickhouse/schema/set-up.ts';
import { ClickHouseUsageProcessor } from '../../exporter/clickhouse/write/clickhouse-usage-processor.ts';
import type { UsageSummary } from '../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import type { TestServer } from '../support/servers.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';

const DAY_MS = 86_400_000;
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const RANGE = { from: new Date(TODAY - 40 * DAY_MS), to: new Date(TODAY) };

function call(daysAgo: number, userId: string | undefined, id = ''): UsageRecord {
  return usageRecord(new Date(TODAY - daysAgo * DAY_MS + 5 * 3_600_000).toISOString(), {
    id: `${userId ?? ''}-${daysAgo}${id}`,
    ...(userId !== undefined && { userId }),
    conversationId: 'c',
    inputTokens: 10,
    outputTokens: 1,
    totalTokens: 11,
    tokenSource: 'provider',
    costUsd: 0.25,
    costSource: 'list',
  });
}

/** One ledger from test to test: to make one takes the server as long as all of them. */
describe('changes of a ClickHouse ledger at once, and before a shorter retention', function () {
  this.timeout(60_000);
  let server: TestServer;
  let access: { readonly url: string; readonly database: string };

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
    const { url } = server;
    access = { url, database: 'llm' };
    await clickHouseTables(url, 'llm');
    const users = ['mallory', 'trent', 'carol', undefined];
    const records = [20, 12, 11, 10, 1].flatMap((day) => users.map((user) => call(day, user)));
    await fillClickHouse(url, 'llm', records);
    await rollUpClickHouse(url, 'llm');
  });
  after(async () => await server?.stop());

  async function summary(
    groupBy: readonly ('user' | 'hour' | 'conversation')[] = [],
  ): Promise<UsageSummary> {
    const reader = new ClickHouseUsageReader({ ...access, maxAgeMs: 0 });
    try {
      return await reader.summary({ ...RANGE, groupBy });
    } finally {
      await reader.close();
    }
  }

  const callsOfUsers = async (): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries(
      (await summary(['user'])).rows.map(({ user, calls }) => [String(user), calls]),
    );

  it('a reprice does not write the calls of a user back who is erased meanwhile', async () => {
    const writing = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const slow = createServer((asked, answer) => {
      const forward = (): void => {
        const { method, headers, url = '' } = asked;
        const passed = request(server.url + url, { method, headers }, (answered) => {
          answer.writeHead(answered.statusCode ?? 500, answered.headers);
          answered.pipe(answer);
        });
        asked.pipe(passed);
      };
      if (!/INSERT\W+INTO\W+llm_usage\W+FORMAT/.test(decodeURIComponent(asked.url ?? ''))) {
        forward();
        return;
      }
      writing.resolve();
      void released.promise.then(forward);
    }).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => slow.once('listening', resolve));
      const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
      const repricing = repriceClickHouseLedger({ ...access, url, costOf: () => 0.5 });
      await writing.promise;
      let isErased = false;
      const erasing = eraseClickHouseUser({ ...access, userId: 'mallory', spool: false }).finally(
        () => (isErased = true),
      );
      // Until it waits for the costs that are on their way.
      const waiting = `SELECT count() FROM llm.llm_usage_cells WHERE roll_up = 'erasing'`;
      while (!isErased && Number(await clickHouse(server.url, waiting)) === 0) await sleep(10);
      released.resolve();
      assert.equal((await repricing).changed, 20);
      assert.deepEqual(await erasing, { found: 5, erased: 5, mayRemain: [] });
      assert.deepEqual(await callsOfUsers(), { trent: 5, carol: 5, null: 5 });
      assert.equal((await summary()).total.costUsd, 7.5);
    } finally {
      released.resolve();
      slow.close();
    }
  });

  it('a shorter retention keeps what was erased, repriced and added before, and what comes later is missing', async () => {
    const processor = new ClickHouseUsageProcessor({ ...access, spool: false });
    try {
      processor.onEmit(logOf(call(12, 'dora')));
      await processor.forceFlush();
      await setUpClickHouse({ ...access, retentionDays: 5 });
      const gone = 'time < now() - INTERVAL 5 DAY';
      await clickHouse(
        server.url,
        `ALTER TABLE llm.llm_usage DELETE WHERE ${gone} SETTINGS mutations_sync = 2`,
      );
      for (const groupBy of [[], ['hour'], ['user']] as const) {
        const { total, missing } = await summary(groupBy);
        assert.deepEqual([total.calls, total.costUsd, missing], [16, 7.75, undefined], groupBy[0]);
      }
      // The processor had asked before.
      processor.onEmit(logOf(call(12, 'late')));
      await processor.forceFlush();
      assert.deepEqual(processor.status().dropped, { beyond_retention: 1 });
      assert.equal((await summary()).missing, undefined);
      // Past all checks.
      await fillClickHouse(server.url, 'llm', [call(11, 'later')]);
      const { total, missing } = await summary();
      assert.equal(total.calls, 16);
      const hour = TODAY - 11 * DAY_MS + 5 * 3_600_000;
      const text = (ms: number): string => new Date(ms).toISOString();
      assert.deepEqual(missing, [{ from: text(hour), to: text(hour + 3_600_000) }]);
    } finally {
      await processor.shutdown();
    }
  });

  it('two users who are erased at once lose their names, and no tokens that have outlived their calls', async () => {
    // Of an erasure that was killed.
    await clickHouse(
      server.url,
      `INSERT INTO llm.llm_usage_cells (roll_up, shard, changed) VALUES ('erasing', 'killed', now64(3) - INTERVAL 1 SECOND)`,
    );
    await Promise.all(
      ['trent', 'carol'].map(
        async (userId) => await eraseClickHouseUser({ ...access, userId, spool: false }),
      ),
    );
    assert.deepEqual(await callsOfUsers(), { null: 13, dora: 1 });
    const { rows, missing } = await summary(['conversation']);
    assert.equal(rows[0]?.totalTokens, 14 * 11);
    // As before, since one came too late.
    assert.equal(missing?.length, 1);
  });
});
