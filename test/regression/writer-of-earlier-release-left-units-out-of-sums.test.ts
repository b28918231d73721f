import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteUsageProcessor, SqliteUsageReader } from '../../exporter/index.ts';
import { rollUpLedger } from '../../exporter/sqlite/write/sqlite-roll-up.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';

const DAY_MS = 86_400_000;
const FROM = Date.parse('2026-11-01T00:00:00Z');

/** A rolling restart: it opened the file before the new release did, and knows no units. */
describe('a process of an earlier release that goes on beside a new one', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Calls of two days, of which those of the earlier writer have no units beside their attributes. */
  async function fill(): Promise<void> {
    const writer = new SqliteUsageProcessor({ path });
    for (let index = 0; index < 40; index++) {
      const attributes = {
        'token_meter.usage.pages': 2,
        ...(index % 4 === 0 && { 'token_meter.usage.rerank_searches': 1 }),
        ...(index % 5 === 0 && { 'token_meter.usage.audio_input_tokens': 7 }),
      };
      const time = FROM + (index / 40) * 2 * DAY_MS;
      writer.onEmit(logOf(usageRecord(time, { id: `call-${index}`, attributes })));
    }
    for (let index = 0; index < 10; index++) {
      const attributes = { 'token_meter.usage.audio_input_tokens': 7 };
      writer.onEmit(logOf(usageRecord(FROM + index, { id: `audio-${index}`, attributes })));
    }
    await writer.shutdown();
    const database = new DatabaseSync(path);
    database.exec("UPDATE usage SET units = NULL WHERE id LIKE 'call-%' AND substr(id, 6) % 2 = 0");
    for (const table of ['usage_hour', 'usage_day']) {
      database.exec(`UPDATE ${table} SET pages = pages / 2, rerank_searches = NULL`);
    }
    database.exec("DELETE FROM usage_unit WHERE name = 'rerank_searches'");
    // The new writer may have summed up the days by now.
    database.exec('DELETE FROM usage_summed_day');
    database.close();
  }

  async function units(): Promise<unknown> {
    const reader = new SqliteUsageReader({ path });
    try {
      const range = { from: new Date(FROM), to: new Date(FROM + 2 * DAY_MS) };
      const { total } = await reader.summary(range);
      const { rows } = await reader.summary({ ...range, groupBy: ['user'] });
      assert.deepEqual(rows[0]?.units, total.units);
      return total.units;
    } finally {
      await reader.close();
    }
  }

  const RIGHT = { pages: 80, rerankSearches: 10 };

  it('has its units in the sums of the days that are summed up after it', async () => {
    await fill();
    await rollUpLedger({ path });
    assert.deepEqual(await units(), RIGHT);
  });

  it('has them by `rollup --verify` in days that were summed up before, which finds no more then', async () => {
    await fill();
    const database = new DatabaseSync(path);
    database.exec('INSERT OR IGNORE INTO usage_summed_day SELECT DISTINCT day FROM usage_day');
    database.close();
    const first = await rollUpLedger({ path, verify: true });
    assert.equal(first.wrong, 48);
    assert.deepEqual(await units(), RIGHT);
    assert.equal((await rollUpLedger({ path, verify: true })).wrong, 0);
  });
});
