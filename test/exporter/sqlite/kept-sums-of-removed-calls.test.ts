import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { eraseLedgerUser } from '../../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { repriceLedger } from '../../../exporter/sqlite/write/sqlite-reprice.ts';
import { rollUpLedger } from '../../../exporter/sqlite/write/sqlite-roll-up.ts';
import type { UsageQuery, UsageSummary } from '../../../exporter/ledger/usage-query.ts';
import { rounded } from '../../support/rounded.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-10-10T07:20:00Z');
const NOW = Date.parse('2026-10-26T06:10:00Z');
const RECORDS = mixedRecords(900, START, NOW);
/** Calls of the last five days are kept, from midnight on. */
const KEPT = Date.parse('2026-10-21T00:00:00Z');

describe('sums of a SQLite ledger that outlive their calls', () => {
  let folder: string;
  let path: string;
  let file: LedgerFile;
  let reader: SqliteUsageReader;
  /** The same ledger with every call. */
  let whole: SqliteUsageReader;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-kept-'));
    path = join(folder, 'usage.db');
    file = new LedgerFile({ path, busyTimeoutMs: 1000, now: () => NOW });
    file.write(RECORDS);
    while (file.sumUpDay());
    const database = new DatabaseSync(path);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    copyFileSync(path, join(folder, 'whole.db'));
    while (file.removeOlderThan(5, 400));
    reader = new SqliteUsageReader({ path });
    whole = new SqliteUsageReader({ path: join(folder, 'whole.db') });
  });
  afterEach(async () => {
    await reader.close();
    await whole.close();
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const calls = (): number => {
    const database = new DatabaseSync(path, { readOnly: true });
    const { calls: count } = database.prepare('SELECT count(*) AS calls FROM usage').get() ?? {};
    database.close();
    return Number(count);
  };

  async function both(query: UsageQuery): Promise<readonly [UsageSummary, UsageSummary]> {
    return [await reader.summary(query), await whole.summary(query)];
  }

  it('answer what they have, over every day', async () => {
    const left = RECORDS.filter(({ time }) => Date.parse(time) >= KEPT);
    assert.equal(calls(), left.length);
    assert.ok(left.length < RECORDS.length / 2);
    const range = { from: new Date('2026-10-11'), to: new Date(NOW) };
    const questions: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
      { distinct: true },
      { groupBy: ['day', 'model'], timeZone: 'Europe/Berlin' },
      { groupBy: ['hour'] },
      { groupBy: ['user'], orderBy: 'costUsd' },
      { groupBy: ['conversation'], limit: 3 },
      { groupBy: ['user', 'outcome'], filter: { team: [null, 'search'] } },
      { groupBy: ['model'], percentiles: true },
      { groupBy: ['dimension.feature'], filter: { outcome: 'ok' } },
    ];
    for (const question of questions) {
      const [now, before] = await both({ ...range, ...question });
      assert.deepEqual(rounded(now), rounded(before), JSON.stringify(question));
      assert.equal(now.missing, undefined);
    }
  });

  it('say of which parts they do not', async () => {
    const range = { from: new Date('2026-10-11'), to: new Date(NOW) };
    const gone = [{ from: '2026-10-11T00:00:00.000Z', to: '2026-10-21T00:00:00.000Z' }];
    for (const question of [
      { groupBy: ['user', 'model'] },
      { groupBy: ['error'] },
      { filter: { user: 'alice' } },
      { groupBy: ['user'], percentiles: true },
      { groupBy: ['hour', 'model'], percentiles: true },
      { groupBy: ['day', 'user'], timeZone: 'Europe/Berlin' },
    ] as const) {
      const { missing } = await reader.summary({ ...range, ...question });
      assert.deepEqual(missing, gone, JSON.stringify(question));
    }
    // Parts of an hour, and for users and conversations of a day.
    const from = new Date('2026-10-12T10:20:00Z');
    const first = { from: '2026-10-12T10:20:00.000Z', to: '2026-10-12T11:00:00.000Z' };
    assert.deepEqual((await reader.summary({ ...range, from })).missing, [first]);
    const day = [{ ...first, to: '2026-10-13T00:00:00.000Z' }];
    assert.deepEqual((await reader.summary({ ...range, from, groupBy: ['user'] })).missing, day);
    assert.deepEqual((await reader.summary({ ...range, from, distinct: true })).missing, day);
    // Of the previous period too; before the first call there is nothing to miss.
    const compare = {
      from: new Date('2026-10-21'),
      to: new Date('2026-10-25'),
      compare: 'previous',
    };
    const { missing } = await reader.summary({
      ...compare,
      compare: 'previous',
      groupBy: ['error'],
    });
    assert.deepEqual(missing, [{ from: '2026-10-17T00:00:00.000Z', to: gone[0]?.to }]);
    const old = { from: new Date('2026-09-01'), to: new Date(START - DAY_MS) };
    assert.equal((await reader.summary({ ...old, groupBy: ['error'] })).missing, undefined);
    // What is kept is whole.
    const late = { from: new Date(KEPT), to: new Date(NOW), groupBy: ['user', 'model'] } as const;
    const [now, before] = await both(late);
    assert.deepEqual(rounded(now), rounded(before));
  });

  it('stay as they are after late calls, new prices, a verification and further rounds', async () => {
    const range = { from: new Date('2026-10-11'), to: new Date(KEPT), groupBy: ['user'] } as const;
    const expired: number[] = [];
    file.onLeftOut = (reason, records) => {
      assert.equal(reason, 'beyond_retention');
      expired.push(records);
    };
    const late = RECORDS.find(({ time }) => Date.parse(time) < KEPT - DAY_MS);
    const fresh = RECORDS.at(-1);
    assert.ok(late !== undefined && fresh !== undefined);
    assert.equal(
      file.write([
        { ...late, id: 'late' },
        { ...fresh, id: 'fresh' },
      ]),
      1,
    );
    assert.deepEqual(expired, [1]);
    await repriceLedger({ path, costOf: () => 0.5 });
    while (file.sumUpDay());
    assert.equal((await rollUpLedger({ path, now: () => NOW, verify: true })).wrong, 0);
    while (file.removeOlderThan(5, 400));
    const [now, before] = await both(range);
    assert.deepEqual(rounded(now), rounded(before));
  });

  it('lose the name of an erased user, and none of his tokens', async () => {
    const range = { from: new Date('2026-10-11'), to: new Date(KEPT) };
    await eraseLedgerUser({ path, userId: "o'Brien" });
    // A team has this name as well.
    assert.doesNotMatch(readFileSync(path, 'latin1'), /o'Brien(?! & co)/);
    const [now, before] = await both(range);
    assert.deepEqual(rounded(now), rounded(before));
    const of = async (one: SqliteUsageReader, user: string | null): Promise<number> => {
      const { rows } = await one.summary({ ...range, groupBy: ['user'] });
      return rows.find((row) => row.user === user)?.totalTokens ?? 0;
    };
    assert.ok((await of(whole, "o'Brien")) > 0);
    assert.equal(await of(reader, "o'Brien"), 0);
    assert.equal(await of(reader, null), (await of(whole, null)) + (await of(whole, "o'Brien")));
  });

  it('go at last, and leave a mark that they were there', async () => {
    while (file.removeOlderThan(5, 8));
    const { rows, missing } = await reader.summary({
      from: new Date('2026-10-11'),
      to: new Date(NOW),
      groupBy: ['day'],
    });
    assert.equal(rows[0]?.day, '2026-10-18');
    assert.deepEqual(missing, [
      { from: '2026-10-11T00:00:00.000Z', to: '2026-10-18T00:00:00.000Z' },
    ]);
  });

  it('are made before the calls go', () => {
    const other = join(folder, 'other.db');
    const unsummed = new LedgerFile({ path: other, busyTimeoutMs: 1000, now: () => NOW });
    unsummed.write(RECORDS);
    while (unsummed.removeOlderThan(5, 400));
    assert.equal(unsummed.write(RECORDS), 0, 'all are still there');
    unsummed.close();
  });
});
