import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eraseLedgerUser } from '../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { usageRecord } from '../support/usage-logs.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-26T15:40:00Z');
const NAME = 'dora-dorason';

/** There was nothing left to delete, so the file was not rewritten. */
describe('a user whose calls retention has removed', () => {
  for (const sumDays of [2, 4]) {
    it(`leaves no name in the file when he is erased, with sums of ${sumDays} days`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'token-meter-'));
      const path = join(folder, 'usage.db');
      const isNamed = (): boolean =>
        readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(NAME));
      try {
        const users = Array.from({ length: 35 }, (_, i) => (i < 30 ? NAME : 'bob'));
        const file = new LedgerFile({ path, busyTimeoutMs: 1000, now: () => NOW });
        const records = users.map((userId) =>
          usageRecord(NOW - (userId === NAME ? 5 : 1) * DAY_MS, { userId }),
        );
        file.write(records);
        while (file.sumUpDay());
        while (file.removeOlderThan(2, sumDays));
        assert.equal(isNamed(), true, 'rows are deleted, their bytes are not');
        const dry = await eraseLedgerUser({ path, userId: NAME, dryRun: true });
        assert.deepEqual(dry, { found: 0, erased: 0, mayRemain: [path, `${path}-wal`] });
        const erased = await eraseLedgerUser({ path, userId: NAME });
        assert.deepEqual(erased, { found: 0, erased: 0, mayRemain: [] });
        assert.equal(isNamed(), false);
        file.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
