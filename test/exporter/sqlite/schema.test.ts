import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteUsageProcessor, SqliteUsageReader } from '../../../exporter/index.ts';
import { logOf } from '../../support/usage-logs.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

describe('a ledger of the release before', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-schema-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Takes away what version 3 added. */
  const asVersion2 = (): void => {
    const database = new DatabaseSync(path);
    for (const column of ['cost_source', 'cost_missing', 'service_tier']) {
      database.exec(`ALTER TABLE usage DROP COLUMN ${column}`);
    }
    for (const table of ['usage_hour', 'usage_day']) {
      database.exec(`ALTER TABLE ${table} DROP COLUMN partial_cost_calls`);
    }
    database.exec('PRAGMA user_version = 2');
    database.close();
  };

  it('is brought up to date by the first write, with every record kept', async () => {
    const from = Date.parse('2026-11-01T00:00:00Z');
    const records = mixedRecords(50, from, from + 86_400_000);
    const first = new SqliteUsageProcessor({ path });
    for (const record of records.slice(0, 40)) first.onEmit(logOf(record));
    await first.shutdown();
    asVersion2();

    const early = new SqliteUsageReader({ path });
    await assert.rejects(
      early.records(),
      /ledger version 2, .*brought up to date when the application/,
    );
    await early.close();

    const [one, other] = [new SqliteUsageProcessor({ path }), new SqliteUsageProcessor({ path })];
    for (const record of records.slice(40, 45)) one.onEmit(logOf(record));
    for (const record of records.slice(45)) other.onEmit(logOf(record));
    await Promise.all([one.shutdown(), other.shutdown()]);

    const reader = new SqliteUsageReader({ path });
    const { total } = await reader.summary({
      from: new Date(from),
      to: new Date(from + 86_400_000),
    });
    assert.equal(total.calls, 50);
    assert.equal(
      total.partialCostCalls,
      records.slice(40).filter(({ costMissing }) => costMissing !== undefined).length,
    );
    await reader.close();
  });
});
