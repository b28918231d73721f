import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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
    assert.deepEqual([accepted, delivered, dropped], [4, 3, { erased: 1 }]);
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
    const { accepted, adopted, delivered, dropped } = processor.status();
    assert.deepEqual([accepted, adopted, delivered, dropped], [1, 3, 3, { erased: 1 }]);
    await processor.shutdown();
  });

  it('are written where the user made them after the erasure began', async () => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    const later = Array.from({ length: 3 }, (_, i) =>
      usageRecord(Date.now() + 60_000 + i, { userId: 'dora' }),
    );
    file.write([usageRecord(T0, { userId: 'dora' }), ...later]);
    file.close();
    const result = await eraseLedgerUser({ path, userId: 'dora' });
    assert.deepEqual(result, { found: 1, erased: 1, mayRemain: [] });
    assert.deepEqual(await users(), ['dora', 'dora', 'dora']);
  });
});

describe('an erasure that does not come to its end', () => {
  const NAME = 'alice.unmistakable';
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-erase-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    const T0 = Date.now() - 86_400_000;
    file.write(
      Array.from({ length: 500 }, (_, i) =>
        usageRecord(T0 + i * 1000, { userId: i % 2 === 0 ? NAME : 'bob' }),
      ),
    );
    file.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const isNamed = (): boolean =>
    readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(NAME));

  it('leaves the rest to the next one, which rewrites the file', async () => {
    const onProgress = (): void => {
      throw new Error('ended here');
    };
    await assert.rejects(eraseLedgerUser({ path, userId: NAME, onProgress }), /ended here/);
    assert.equal(isNamed(), true, 'rows are deleted, their bytes are not');
    const dry = await eraseLedgerUser({ path, userId: 'nobody', dryRun: true });
    assert.deepEqual(dry, { found: 0, erased: 0, mayRemain: [path, `${path}-wal`] });
    const next = await eraseLedgerUser({ path, userId: NAME });
    assert.deepEqual(next, { found: 0, erased: 0, mayRemain: [] });
    assert.equal(isNamed(), false);
  });

  it('says so as long as another process keeps the file from being rewritten', async () => {
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM usage').get();
    const held = await eraseLedgerUser({ path, userId: NAME });
    assert.deepEqual(held, { found: 250, erased: 250, mayRemain: [path, `${path}-wal`] });
    reader.exec('COMMIT');
    reader.close();
    const next = await eraseLedgerUser({ path, userId: NAME });
    assert.deepEqual(next, { found: 0, erased: 0, mayRemain: [] });
    assert.equal(isNamed(), false);
  });

  it('is refused for no user', async () => {
    await assert.rejects(eraseLedgerUser({ path, userId: '' }), { code: 'INVALID_OPTION' });
  });
});
