import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { unitName, USAGE_UNITS } from '../../../src/domain/billed-usage.ts';
import { agree, agreeRows } from '../../conformance/usage-readers/usage-agreement.ts';
import { rowsOf } from '../../support/usage-oracle.ts';
import { SqliteUsageProcessor, SqliteUsageReader } from '../../../exporter/index.ts';
import { logOf } from '../../support/usage-logs.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';

describe('a ledger of an earlier release', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-schema-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Takes away what versions 9 to 12 added. */
  const asVersion8 = (): void => {
    const database = new DatabaseSync(path);
    for (const table of ['usage_hour', 'usage_day']) {
      for (const unit of USAGE_UNITS) {
        database.exec(`ALTER TABLE ${table} DROP COLUMN ${unitName(unit)}`);
      }
    }
    database.exec('ALTER TABLE usage DROP COLUMN units');
    database.exec('DROP TABLE usage_unit');
    database.exec('DROP TABLE usage_kept_from');
    database.exec('DROP TABLE usage_erased');
    database.exec('DROP TABLE usage_deletions');
    database.exec('PRAGMA user_version = 8');
    database.close();
  };

  /** Takes away what version 7 added, too. */
  const asVersion6 = (): void => {
    asVersion8();
    const database = new DatabaseSync(path);
    database.exec('DROP INDEX usage_by_run');
    for (const column of ['tool_name', 'steps']) {
      database.exec(`ALTER TABLE usage DROP COLUMN ${column}`);
    }
    database.exec('PRAGMA user_version = 6');
    database.close();
  };

  /** Takes away what version 4 added, too. */
  const asVersion3 = (): void => {
    asVersion6();
    const database = new DatabaseSync(path);
    database.exec('DROP INDEX usage_by_team');
    for (const column of ['team', 'dimensions', 'agent_name', 'run_id']) {
      database.exec(`ALTER TABLE usage DROP COLUMN ${column}`);
    }
    for (const [table, unit] of [
      ['usage_hour', 'hour'],
      ['usage_day', 'day'],
    ]) {
      const { sql } = database
        .prepare('SELECT sql FROM sqlite_schema WHERE name = ?')
        .get(table ?? '') as { sql: string };
      const before = sql
        .replace(' team TEXT NOT NULL, dimensions TEXT NOT NULL,', '')
        .replace(', team, dimensions)', ')');
      assert.ok(!/team|dimensions/.test(before));
      const sums = before.replaceAll(/\s+/g, ' ').match(/[a-z_]+(?= (INTEGER|REAL))/g) ?? [];
      const columns = [...new Set([unit, 'service', 'provider', 'model', 'outcome', ...sums])];
      const key = columns.slice(0, 5).join(', ');
      database.exec(
        `ALTER TABLE ${table} RENAME TO of_now; ${before};
         INSERT INTO ${table} (${columns.join(', ')})
           SELECT ${key}, ${columns
             .slice(5)
             .map((name) => `sum(${name})`)
             .join(', ')} FROM of_now GROUP BY ${key};
         DROP TABLE of_now;`,
      );
    }
    database.exec('PRAGMA user_version = 3');
    database.close();
  };

  /** Takes away what version 3 added, too. */
  const asVersion2 = (): void => {
    asVersion3();
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

  it('sums up the units of its earlier calls, also in days that were summed up before', async () => {
    const from = Date.parse('2026-11-01T00:00:00Z');
    const range = { from: new Date(from), to: new Date(from + 3 * 86_400_000) };
    const records = mixedRecords(200, from, from + 3 * 86_400_000);
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(records.slice(0, 190));
    while (file.sumUpDay());
    file.close();
    asVersion8();
    const next = new LedgerFile({ path, busyTimeoutMs: 1000 });
    next.write(records.slice(190));
    const compare = async (): Promise<void> => {
      const reader = new SqliteUsageReader({ path });
      for (const groupBy of [[], ['day'], ['model'], ['user'], ['conversation', 'team']] as const) {
        const query = { ...range, groupBy, limit: 1000 };
        const { rows, total } = await reader.summary(query);
        const asked = { fromMs: from, toMs: range.to.getTime(), groupBy };
        if (groupBy.length > 0) agreeRows(rows, rowsOf(records, asked), groupBy);
        agree(total, records);
      }
      await reader.close();
    };
    await compare();
    while (next.sumUpDay());
    await compare();
    next.close();
  });

  it('takes teams and dimensions, and knows none of its earlier calls', async () => {
    const from = Date.parse('2026-11-01T00:00:00Z');
    const range = { from: new Date(from), to: new Date(from + 3 * 86_400_000) };
    const records = mixedRecords(60, from, from + 3 * 86_400_000);
    const first = new SqliteUsageProcessor({ path });
    for (const record of records.slice(0, 40)) first.onEmit(logOf(record));
    await first.shutdown();
    asVersion3();
    const next = new SqliteUsageProcessor({ path });
    for (const record of records.slice(40)) next.onEmit(logOf(record));
    await next.shutdown();

    const reader = new SqliteUsageReader({ path });
    for (const groupBy of [['team'], ['dimension.feature'], ['day', 'team']] as const) {
      const { rows, total } = await reader.summary({ ...range, groupBy });
      assert.equal(total.calls, 60);
      const calls = (of: typeof rows): number => of.reduce((sum, row) => sum + row.calls, 0);
      const [group] = groupBy.slice(-1);
      const early = group === 'team' ? 'team' : 'dimensions';
      const without = records.filter(
        (record, index) =>
          index < 40 ||
          (early === 'team'
            ? record.team === undefined
            : record.dimensions?.['feature'] === undefined),
      );
      assert.equal(calls(rows.filter((row) => row[group ?? 'team'] === null)), without.length);
    }
    const { records: stored } = await reader.records({ ...range, limit: 1000 });
    assert.deepEqual(
      stored.toReversed(),
      records.map(({ team, dimensions, agentName, runId, toolName, steps, ...record }, index) =>
        index < 40
          ? record
          : {
              ...record,
              ...(team !== undefined && { team }),
              ...(dimensions && { dimensions }),
              ...(agentName !== undefined && { agentName }),
              ...(runId !== undefined && { runId }),
              ...(toolName !== undefined && { toolName }),
              ...(steps !== undefined && { steps }),
            },
      ),
    );
    await reader.close();
  });

  it('takes tools and steps, and finds the runs of its earlier calls', async () => {
    const from = Date.parse('2026-11-01T00:00:00Z');
    const records = mixedRecords(60, from, from + 86_400_000);
    const first = new SqliteUsageProcessor({ path });
    for (const record of records.slice(0, 30)) first.onEmit(logOf(record));
    await first.shutdown();
    asVersion6();
    const next = new SqliteUsageProcessor({ path });
    for (const record of records.slice(30)) next.onEmit(logOf(record));
    await next.shutdown();

    const reader = new SqliteUsageReader({ path });
    const { records: stored } = await reader.records({ filter: { run: 'run "0"' }, limit: 100 });
    const ofRun = records.filter(({ runId }) => runId === 'run "0"');
    assert.ok(ofRun.length > 20);
    assert.deepEqual(
      stored.toReversed(),
      ofRun.map((record) => {
        if (records.indexOf(record) >= 30) return record;
        const { toolName: _tool, steps: _steps, ...early } = record;
        return early;
      }),
    );
    await reader.close();
    const database = new DatabaseSync(path);
    const plan = database
      .prepare("EXPLAIN QUERY PLAN SELECT * FROM usage WHERE run_id IN ('a') AND time_ns >= 0")
      .all();
    database.close();
    assert.match(JSON.stringify(plan), /usage_by_run/);
  });
});
