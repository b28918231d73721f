import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
});
