import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteUsageReader } from '../../../exporter/index.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const NOW = Date.parse('2026-10-26T06:10:00Z');
const RECORDS = mixedRecords(900, Date.parse('2026-10-10T07:20:00Z'), NOW);

/** What they answer is in test/conformance/usage-readers/kept-sums.test.ts. */
describe('sums of a SQLite ledger that outlive their calls', () => {
  it('are made before the calls go', () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-kept-'));
    const path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000, now: () => NOW });
    try {
      file.write(RECORDS);
      while (file.removeOlderThan(5, 400));
      assert.equal(file.write(RECORDS), 0, 'all are still there');
    } finally {
      file.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('stay as long as calls that wait for the sums of their day', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-kept-'));
    const path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000, now: () => NOW });
    const reader = new SqliteUsageReader({ path });
    const range = { from: new Date(RECORDS[0]?.time ?? NOW), to: new Date(NOW) };
    const views = async (): Promise<readonly unknown[]> => {
      const byModel = await reader.summary({ ...range, groupBy: ['model'] });
      const byUser = await reader.summary({ ...range, groupBy: ['user'] });
      return [byModel, byUser].map(({ total, missing }) => [total.calls, missing?.length ?? 0]);
    };
    try {
      file.write(RECORDS);
      file.removeOlderThan(3, 8);
      const all = [RECORDS.length, 0];
      assert.deepEqual(await views(), [all, all], 'retention before the first sums');
      while (file.sumUpDay());
      while (file.removeOlderThan(3, 8));
      const left = RECORDS.filter(({ time }) => Date.parse(time) >= Date.parse('2026-10-18'));
      for (const [calls, missing] of (await views()) as [number, number][]) {
        assert.equal(calls, left.length);
        assert.ok(missing > 0, 'what is gone is named');
      }
    } finally {
      await reader.close();
      file.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
