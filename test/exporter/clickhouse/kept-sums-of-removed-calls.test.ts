import assert from 'node:assert/strict';
import { eraseClickHouseUser } from '../../../exporter/clickhouse/erase/clickhouse-erase.ts';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { setUpClickHouse } from '../../../exporter/clickhouse/schema/set-up.ts';
import { ClickHouseUsageProcessor } from '../../../exporter/clickhouse/write/clickhouse-usage-processor.ts';
import type { UsageQuery, UsageSummary } from '../../../exporter/ledger/usage-query.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  makeClickHouseRollUps,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { rounded } from '../../support/rounded.ts';
import { logOf, usageRecord } from '../../support/usage-logs.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const DAY_MS = 86_400_000;
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const [START, END] = [TODAY - 16 * DAY_MS + 26_400_000, TODAY - 2 * DAY_MS];
const KEPT_DAYS = 6;
const DATABASE = 'kept';

describe('sums of a ClickHouse ledger that outlive their calls', function () {
  let server: TestServer;
  /** Answers from before the calls went. */
  const answers = new Map<string, UsageSummary>();
  const range = { from: new Date(START - DAY_MS), to: new Date(END) };
  const ANSWERED: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
    { distinct: true },
    { groupBy: ['day', 'model'] },
    { groupBy: ['user'], orderBy: 'costUsd' },
    { groupBy: ['conversation'], limit: 3 },
    { groupBy: ['model'], percentiles: true },
  ];

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
    await clickHouseTables(server.url, DATABASE);
    await fillClickHouse(server.url, DATABASE, mixedRecords(900, START, END));
    await rollUpClickHouse(server.url, DATABASE);
    const reader = new ClickHouseUsageReader({ url: server.url, database: DATABASE });
    for (const question of ANSWERED) {
      answers.set(JSON.stringify(question), await reader.summary({ ...range, ...question }));
    }
    await reader.close();
    await setUpClickHouse({ url: server.url, database: DATABASE, retentionDays: KEPT_DAYS });
    // The server does so when it merges.
    const gone = `time < now() - INTERVAL ${KEPT_DAYS} DAY`;
    await clickHouse(
      server.url,
      `ALTER TABLE ${DATABASE}.llm_usage DELETE WHERE ${gone} SETTINGS mutations_sync = 2`,
    );
    const left = await clickHouse(server.url, `SELECT countIf(${gone}) FROM ${DATABASE}.llm_usage`);
    assert.equal(left.trim(), '0');
  });
  after(async () => await server?.stop());

  it('answer what they have, and say what they do not', async () => {
    const reader = new ClickHouseUsageReader({ url: server.url, database: DATABASE });
    try {
      for (const question of ANSWERED) {
        const name = JSON.stringify(question);
        const now = await reader.summary({ ...range, ...question });
        assert.deepEqual(rounded(now), rounded(answers.get(name)), name);
        assert.ok(now.total.calls === 900 && now.missing === undefined, name);
      }
      for (const groupBy of [['user', 'model'], ['error'], ['run']] as const) {
        const { missing = [] } = await reader.summary({ ...range, groupBy });
        const [part] = missing;
        assert.equal(missing.length, 1);
        // From the first hour that had calls.
        const first = Math.floor(Date.parse(part?.from ?? '') / 3_600_000);
        assert.equal(first, Math.floor(START / 3_600_000));
        const end = Date.parse(part?.to ?? '');
        // A day of which some calls are gone, or about to go, counts as gone.
        const oldest = Date.now() - KEPT_DAYS * DAY_MS;
        assert.equal(end % DAY_MS, 0);
        assert.ok(end >= oldest && end <= oldest + DAY_MS + 3_600_000);
      }
      const from = new Date(START + 2 * DAY_MS + 60_000);
      const { missing } = await reader.summary({ ...range, from });
      const next = new Date(Math.ceil(from.getTime() / 3_600_000) * 3_600_000);
      assert.deepEqual(missing, [{ from: from.toISOString(), to: next.toISOString() }]);
      const kept = { from: new Date(END - DAY_MS), to: new Date(END), groupBy: ['error'] as const };
      assert.equal((await reader.summary(kept)).missing, undefined);
    } finally {
      await reader.close();
    }
  });

  for (const retentionDays of [400, 0]) {
    it(`stay as they are with a retention of ${retentionDays} days, also after a late call, which is missing`, async () => {
      const { url } = server;
      await setUpClickHouse({ url, database: DATABASE, retentionDays });
      const at = new Date(START + 2 * DAY_MS).toISOString();
      const records = [
        usageRecord(at, { id: `late-${retentionDays}`, userId: 'late' }),
        usageRecord('1969-12-31T23:00:00Z', {}),
        usageRecord('2150-01-01T00:00:00Z', {}),
      ];
      const processor = new ClickHouseUsageProcessor({ url, database: DATABASE, spool: false });
      for (const record of records) processor.onEmit(logOf(record));
      await processor.forceFlush();
      assert.deepEqual(processor.status().dropped, { beyond_retention: 1, unwritable: 2 });
      await processor.shutdown();
      // As another program writes one.
      await fillClickHouse(url, DATABASE, records.slice(0, 1));
      const reader = new ClickHouseUsageReader({ url, database: DATABASE, maxAgeMs: 0 });
      try {
        for (const round of ['marked', 'due']) {
          for (const question of ANSWERED) {
            const name = JSON.stringify(question);
            const { missing, ...now } = await reader.summary({ ...range, ...question });
            assert.deepEqual(rounded(now), rounded(answers.get(name)), `${round} ${name}`);
            // What came past the exporter is in no sum.
            const [part] = missing ?? [];
            assert.ok(missing?.length === 1 && part !== undefined, `${round} ${name}`);
            assert.ok(part.from <= at && at < part.to, `${round} ${name}`);
          }
          await clickHouse(
            url,
            `ALTER TABLE ${DATABASE}.llm_usage_cells UPDATE changed = changed - INTERVAL 1 HOUR, made = made - INTERVAL 1 HOUR WHERE changed > 0
             SETTINGS mutations_sync = 2`,
          );
          await makeClickHouseRollUps(url, DATABASE);
        }
        const { missing } = await reader.summary({ ...range, groupBy: ['error'] });
        assert.equal(missing?.length, 1);
      } finally {
        await reader.close();
      }
    });
  }

  it('keep every hour when a user is erased, also of the day of which some calls are left', async () => {
    const access = { url: server.url, database: DATABASE };
    const reader = new ClickHouseUsageReader({ ...access, maxAgeMs: 0 });
    try {
      const { rows, missing } = await reader.summary({ ...range, groupBy: ['user', 'model'] });
      const userId = rows.find(({ user }) => typeof user === 'string')?.user;
      assert.ok(typeof userId === 'string');
      const gone = {
        from: range.from,
        to: new Date(missing?.[0]?.to ?? ''),
        groupBy: ['hour'],
      } as const;
      const before = await reader.summary(gone);
      await eraseClickHouseUser({ ...access, userId, spool: false });
      assert.deepEqual(rounded(await reader.summary(gone)), rounded(before));
      const users = await reader.summary({ ...range, groupBy: ['user'], limit: 1000 });
      assert.ok(users.rows.every(({ user }) => user !== userId));
    } finally {
      await reader.close();
    }
  });
});
