import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { eraseLedgerUser } from '../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { rollUpLedger } from '../../exporter/sqlite/write/sqlite-roll-up.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { usageRecord } from '../support/usage-logs.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-26T15:40:00Z');
const now = (): number => NOW;
const NAME = 'mallory-of-old';

const call = (id: string, days: number, userId: string): UsageRecord => ({
  ...usageRecord(NOW - days * DAY_MS, { userId }),
  id,
});
const IMPORTED = [call('1', 20, NAME), call('2', 20, 'zed'), call('3', 12, NAME)];

/** Both borders were those of the retention before, so nothing said that sums had outlived their calls. */
describe('calls that were imported below the border of a former retention', () => {
  let folder: string;
  let path: string;
  let file: LedgerFile;
  let reader: SqliteUsageReader;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-'));
    path = join(folder, 'usage.db');
    file = new LedgerFile({ path, busyTimeoutMs: 1000, now });
    file.write([call('old', 9, 'zed'), call('new', 1, 'zed')]);
    while (file.removeOlderThan(7));
    file.write(IMPORTED);
    while (file.sumUpDay());
    while (file.removeOlderThan(7, 1000));
    reader = new SqliteUsageReader({ path });
  });
  afterEach(async () => {
    await reader.close();
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function views(): Promise<unknown> {
    const range = { from: new Date(NOW - 40 * DAY_MS), to: new Date(NOW) };
    const byUser = await reader.summary({ ...range, groupBy: ['user'] });
    const byDay = await reader.summary({ ...range, groupBy: ['day'] });
    return {
      users: Object.fromEntries(byUser.rows.map(({ user, calls }) => [String(user), calls])),
      days: byDay.rows.map(({ calls }) => calls),
    };
  }

  it('are counted once, and stay through a verification and an erasure', async () => {
    const imported = { users: { [NAME]: 2, zed: 2 }, days: [2, 1, 1] };
    assert.deepEqual(await views(), imported);
    let expired = 0;
    file.onLeftOut = (_, records) => (expired += records);
    assert.equal(file.write(IMPORTED), 0);
    assert.equal(expired, 3);
    assert.equal((await rollUpLedger({ path, now, verify: true })).wrong, 0);
    assert.deepEqual(await views(), imported);
    await eraseLedgerUser({ path, userId: NAME });
    assert.equal(readFileSync(path).includes(NAME), false);
    assert.deepEqual(await views(), { users: { null: 2, zed: 2 }, days: [2, 1, 1] });
  });

  it('may be imported again when their sums are gone', async () => {
    while (file.removeOlderThan(7));
    assert.equal(file.write(IMPORTED), 3);
    assert.deepEqual(await views(), { users: { [NAME]: 2, zed: 2 }, days: [2, 1, 1] });
  });

  it('are known from the ledger of a release that did not note them', async () => {
    file.close();
    const database = new DatabaseSync(path);
    database.exec(
      "DELETE FROM usage_kept_from WHERE what = 'outlived'; DROP TABLE IF EXISTS usage_deletions; PRAGMA user_version = 11",
    );
    database.close();
    assert.equal(file.write(IMPORTED), 0);
    assert.deepEqual(await views(), { users: { [NAME]: 2, zed: 2 }, days: [2, 1, 1] });
  });
});
