import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import type { UsageSummary } from '../../exporter/ledger/usage-query.ts';
import { usageRecord } from '../support/usage-logs.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-26T15:40:00Z');

/** Only days with calls are summed up: every other one counted as one whose sums were gone. */
describe('days on which nobody called, of the time whose calls are gone', () => {
  let folder: string;
  let path: string;
  let reader: SqliteUsageReader;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-'));
    path = join(folder, 'usage.db');
  });
  afterEach(async () => {
    await reader.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** One call on each of these days before now. */
  function fill(days: readonly number[]): void {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000, now: () => NOW });
    file.write(days.map((day) => usageRecord(NOW - day * DAY_MS, { userId: 'carol' })));
    while (file.sumUpDay());
    while (file.removeOlderThan(5, 1000));
    file.close();
    reader = new SqliteUsageReader({ path });
  }

  const ask = async (
    groupBy: readonly ('user' | 'model' | 'conversation')[],
    from: string,
    to = new Date(NOW).toISOString(),
  ): Promise<UsageSummary> =>
    await reader.summary({ from: new Date(from), to: new Date(to), groupBy });

  it('are not missing', async () => {
    fill([20, 19, 12, 11, 10, 1]);
    // Nobody called in the hour and on the day in which the range begins.
    for (const groupBy of [['user'], ['conversation'], ['model'], []] as const) {
      for (const from of ['2026-10-20', '2026-11-04T08:20:00Z']) {
        const { total, missing } = await ask(groupBy, from);
        assert.deepEqual([total.calls, missing], [6, undefined], `${groupBy.join()} ${from}`);
      }
    }
    const idle = await ask(['user', 'model'], '2026-11-08', '2026-11-13');
    assert.equal(idle.missing, undefined);
    // What is gone is named from the first to the last hour with calls.
    const { missing } = await ask(['user', 'model'], '2026-11-04');
    const gone = { from: '2026-11-06T15:00:00.000Z', to: '2026-11-16T16:00:00.000Z' };
    assert.deepEqual(missing, [gone]);
    const part = await ask(['user'], '2026-11-14T15:20:00Z');
    const rest = { from: '2026-11-14T15:20:00.000Z', to: '2026-11-14T16:00:00.000Z' };
    assert.deepEqual([part.total.calls, part.missing], [3, [rest]]);
  });

  it('do not keep the others from being answered, however many there are', async () => {
    const days = Array.from({ length: 110 }, (_, index) => 1 + 2 * index);
    fill(days);
    const { total, missing } = await ask(['user'], '2026-01-01');
    assert.deepEqual([total.calls, missing], [110, undefined]);
  });
});
