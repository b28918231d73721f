import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteUsageProcessor } from '../../../../exporter/sqlite/write/sqlite-usage-processor.ts';
import { eraseLedgerUser } from '../../../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../../../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

describe('calls of an erased user that still wait', () => {
  let folder: string;
  let path: string;
  const T0 = Date.now() - 60_000;
  const waiting = [
    usageRecord(T0, { userId: 'alice' }),
    usageRecord(T0 + 1, { userId: 'bob' }),
    usageRecord(T0 + 2),
  ];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-erase-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([usageRecord(T0 - 5000, { userId: 'alice' })]);
    file.close();
    const result = await eraseLedgerUser({ path, userId: 'alice' });
    assert.deepEqual([result.found, result.erased], [1, 1]);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function users(): Promise<readonly string[]> {
    const reader = new SqliteUsageReader({ path });
    const { records } = await reader.records({ limit: 100 });
    await reader.close();
    return records.map(({ userId = '' }) => userId).toSorted((a, b) => (a < b ? -1 : 1));
  }

  it('are not written by the process that has them, and are counted', async () => {
    const processor = new SqliteUsageProcessor({ path });
    for (const record of waiting) processor.onEmit(logOf(record));
    // What the user does from now on is new.
    processor.onEmit(logOf(usageRecord(Date.now() + 1000, { userId: 'alice' })));
    await processor.forceFlush();
    assert.deepEqual(await users(), ['', 'alice', 'bob']);
    const { accepted, delivered, dropped } = processor.status();
    assert.deepEqual([accepted, delivered, dropped], [3, 3, { erased: 1 }]);
    await processor.shutdown();
  });

  it('are not written where they were left by a dead process', async () => {
    const lines = waiting.map((record) => JSON.stringify(record)).join('\n');
    writeFileSync(`${path}.unsaved-1-1.jsonl`, `${lines}\n`);
    const processor = new SqliteUsageProcessor({ path });
    processor.onEmit(logOf(usageRecord(T0 + 3, { userId: 'carol' })));
    await until(() => processor.status().dropped['erased'] === 1);
    await processor.forceFlush();
    assert.deepEqual(await users(), ['', 'bob', 'carol']);
    await processor.shutdown();
  });
});
