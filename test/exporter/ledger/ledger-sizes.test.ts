import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { influxLedgerSize, sqliteLedgerSize } from '../../../exporter/index.ts';
import { rollUpInfluxLedger } from '../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { UsageLineWriter } from '../../../exporter/influxdb/write/lines/usage-line.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { requireServer, startInfluxd } from '../../support/servers.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

const START = Date.parse('2026-10-20T00:00:00Z');
const RECORDS = mixedRecords(600, START, START + 3 * 86_400_000);

describe('sizes of ledgers', () => {
  it('of SQLite: calls, bytes, and those of sums', () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-size-'));
    const path = join(folder, 'usage.db');
    try {
      assert.throws(() => sqliteLedgerSize(path), { code: 'DATABASE_UNAVAILABLE' });
      const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
      file.write(RECORDS);
      const before = sqliteLedgerSize(path);
      while (file.sumUpDay());
      const after = sqliteLedgerSize(path);
      file.close();
      assert.deepEqual([before.calls, after.calls], [600, 600]);
      assert.ok((after.rollUpBytes ?? 0) > (before.rollUpBytes ?? 0));
      assert.ok((after.rollUpBytes ?? 0) < after.bytes);
      writeFileSync(path, 'no ledger');
      assert.throws(() => sqliteLedgerSize(path), { code: 'DATABASE_UNAVAILABLE' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('of InfluxDB: calls, and what is summed up', async function () {
    requireServer(this, 'influxd');
    const server = await startInfluxd({ databases: ['llm'] });
    const access = { url: server.url, bucket: 'llm' };
    try {
      const none = { calls: 0, rolledUpHours: 0, rolledUpDays: 0 };
      assert.deepEqual(await influxLedgerSize(access), none);
      const lines = new UsageLineWriter({ maxUserTags: 9, maxDimensionTags: 9, onCleaned() {} });
      const body = RECORDS.map((record) => `${String(lines.line(record))}\n`).join('');
      await fetch(`${server.url}/write?db=llm`, { method: 'POST', body });
      await rollUpInfluxLedger(access);
      const all = { calls: 600, rolledUpHours: 72, rolledUpDays: 3 };
      assert.deepEqual(await influxLedgerSize(access), all);
    } finally {
      await server.stop();
    }
  });
});
