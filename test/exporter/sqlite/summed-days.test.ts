import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerView } from '../../../exporter/sqlite/read/ledger-view.ts';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { eraseLedgerUser } from '../../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { repriceLedger } from '../../../exporter/sqlite/write/sqlite-reprice.ts';
import { rollUpLedger } from '../../../exporter/sqlite/write/sqlite-roll-up.ts';
import type { UsageQuery } from '../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { rounded } from '../../support/rounded.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const START = Date.parse('2026-10-20T07:00:00Z');
const END = Date.parse('2026-10-26T06:00:00Z');
const NOW = Date.parse('2026-10-26T06:00:00Z');

describe('days that are summed up in SQLite', () => {
  let folder: string;
  let path: string;
  let file: LedgerFile;
  /** Keeps sums of the calls as they were. */
  let reader: SqliteUsageReader;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-days-'));
    path = join(folder, 'usage.db');
    file = new LedgerFile({ path, busyTimeoutMs: 1000, now: () => NOW });
    reader = new SqliteUsageReader({ path });
  });
  afterEach(async () => {
    await reader.close();
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const sumUp = (): void => {
    while (file.sumUpDay());
  };

  function summedDays(): number {
    const database = new DatabaseSync(path, { readOnly: true });
    const { days } = database.prepare('SELECT count(*) AS days FROM usage_summed_day').get() ?? {};
    database.close();
    return Number(days);
  }

  const QUERIES: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
    { groupBy: ['user'], orderBy: 'costUsd', distinct: true },
    { groupBy: ['user', 'team'] },
    { groupBy: ['user', 'outcome'], filter: { team: [null, 'search'] } },
    { groupBy: ['day', 'user'], limit: 2 },
    { groupBy: ['day', 'user'], timeZone: 'Europe/Berlin' },
    { groupBy: ['conversation'], limit: 5, compare: 'previous' },
    { groupBy: ['conversation'], filter: { conversation: null } },
    { percentiles: true, groupBy: ['model'] },
    { percentiles: true, groupBy: ['day', 'provider'], filter: { outcome: 'ok' } },
    { percentiles: true, groupBy: ['dimension.feature'] },
    { percentiles: true, groupBy: ['user'] },
    { distinct: true, filter: { team: 'search' } },
  ];

  /** Compares with a ledger of the same calls that has no sums of days. */
  async function assertRight(change?: (plain: string) => Promise<unknown>): Promise<void> {
    const plain = join(folder, 'plain.db');
    const database = new DatabaseSync(path);
    database.exec(`VACUUM INTO '${plain}'`);
    database.close();
    const copy = new DatabaseSync(plain);
    copy.exec('DELETE FROM usage_summed_day');
    copy.close();
    await change?.(plain);
    // Without a thread, which takes longer to start than the questions take.
    const readers = [reader, new LedgerView(plain, () => {})] as const;
    try {
      for (const query of QUERIES) {
        const whole = { from: new Date(START - 3_600_000), to: new Date(NOW) };
        for (const range of [whole, { ...whole, from: new Date(START + 30 * 3_600_000 + 17) }]) {
          const answers = await Promise.all(
            readers.map(async (one) => await one.summary({ ...range, ...query })),
          );
          assert.deepEqual(rounded(answers[0]), rounded(answers[1]), JSON.stringify(query));
        }
      }
    } finally {
      readers[1].close();
      rmSync(plain);
    }
  }

  it('answer as their calls do', async () => {
    file.write(mixedRecords(900, START, END));
    sumUp();
    // The day of now is open.
    assert.equal(summedDays(), 6);
    await assertRight();
    const database = new DatabaseSync(path);
    database.exec('UPDATE usage SET user = NULL, conversation = NULL');
    database.close();
    const other = new SqliteUsageReader({ path });
    const [from, to] = [new Date('2026-10-21'), new Date('2026-10-26')];
    const { total } = await other.summary({ from, to, distinct: true });
    await other.close();
    assert.equal(total.users, 5, 'whole days are not read from calls');
  });

  it('are read from their calls after late ones, and summed up again', async () => {
    const records = mixedRecords(600, START, END);
    const isLate = (_: UsageRecord, index: number): boolean => index % 90 === 0;
    file.write(records.filter((record, index) => !isLate(record, index)));
    sumUp();
    await assertRight();
    file.write(records.filter(isLate));
    assert.ok(summedDays() < 6);
    await assertRight();
    sumUp();
    assert.equal(summedDays(), 6);
    await assertRight();
    // A resend changes nothing.
    file.write(records.filter(isLate));
    assert.equal(summedDays(), 6);
  });

  it('have new costs after repricing', async () => {
    file.write(mixedRecords(400, START, END));
    sumUp();
    await assertRight();
    await repriceLedger({ path, costOf: () => 0.5 });
    await assertRight();
    sumUp();
    await assertRight();
  });

  it('forget an erased user', async () => {
    file.write(mixedRecords(400, START, END));
    sumUp();
    await assertRight();
    await eraseLedgerUser({ path, userId: "o'Brien" });
    const { rows } = await reader.summary({
      from: new Date(START),
      to: new Date(NOW),
      groupBy: ['user'],
    });
    assert.ok(rows.length > 0 && rows.every(({ user }) => user !== "o'Brien"));
    const database = new DatabaseSync(path, { readOnly: true });
    const blocks = database.prepare('SELECT block FROM usage_day_block').all();
    database.close();
    const traces = blocks.filter(({ block }) =>
      Buffer.from(block as Uint8Array).includes("o'Brien"),
    );
    assert.equal(traces.length, 0);
    await assertRight();
  });

  it('are made and verified by a command, while the application writes', async () => {
    file.write(mixedRecords(300, START, END));
    const now = (): number => NOW;
    const made = await rollUpLedger({ path, now });
    assert.deepEqual(made, { hours: 144, made: 144, wrong: 0, open: 24 });
    assert.equal((await rollUpLedger({ path, now })).made, 0);
    assert.equal((await rollUpLedger({ path, now, verify: true })).wrong, 0);
    const database = new DatabaseSync(path);
    const where = "day = 20749 AND kind = 'user'";
    const { block } =
      database.prepare(`SELECT block FROM usage_day_block WHERE ${where}`).get() ?? {};
    const wrong = Buffer.from(block as Uint8Array);
    wrong.writeUInt8(wrong.readUInt8(wrong.length - 1) ^ 1, wrong.length - 1);
    database.prepare(`UPDATE usage_day_block SET block = ? WHERE ${where}`).run(wrong);
    database.exec('UPDATE usage_hour SET input_tokens = 1 WHERE hour = 20751 * 24 + 3');
    database.close();
    assert.equal((await rollUpLedger({ path, now, verify: true })).wrong, 48);
    assert.equal((await rollUpLedger({ path, now, verify: true })).wrong, 0);
    await assertRight();
    await assert.rejects(rollUpLedger({ path: join(folder, 'none.db') }), {
      code: 'DATABASE_UNAVAILABLE',
    });
  });

  it('go with the calls that retention removes', async () => {
    file.write(mixedRecords(400, START, END));
    sumUp();
    await assertRight();
    while (file.removeOlderThan(3));
    assert.equal(summedDays(), 2);
    await assertRight();
  });
});
