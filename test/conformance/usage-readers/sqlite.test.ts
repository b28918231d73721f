import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

for (const isSummedUp of [false, true]) {
  const name = isSummedUp ? 'SqliteUsageReader on days that are summed up' : 'SqliteUsageReader';
  usageReaderSuite(name, async (records) => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-reader-'));
    const path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(records);
    if (isSummedUp) while (file.sumUpDay());
    const reader = new SqliteUsageReader({ path });
    return await Promise.resolve({
      reader,
      async close() {
        await reader.close();
        file.close();
        rmSync(folder, { recursive: true, force: true });
      },
    });
  });
}
