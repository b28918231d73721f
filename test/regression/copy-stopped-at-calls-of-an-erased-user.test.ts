import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eraseLedgerUser } from '../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { memoryIo } from '../cli/memory-io.ts';
import { usageRecord } from '../support/usage-logs.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.now();

describe('a copy into a ledger that has decided not to keep some calls', function () {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-copy-left-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function ledger(name: string, records: readonly UsageRecord[]): LedgerFile {
    const file = new LedgerFile({ path: join(folder, name), busyTimeoutMs: 1000 });
    file.write(records);
    return file;
  }

  async function copy(...more: string[]): Promise<{ code: number; out: string; err: string }> {
    const io = memoryIo({});
    const [from, to] = ['from.db', 'to.db'].map((name) => `sqlite:${join(folder, name)}`);
    const state = join(folder, 'state.json');
    const args = ['copy', '--from', from!, '--to', to!, '--state', state, ...more];
    return { code: await dispatch(args, io), out: io.out(), err: io.err() };
  }

  it('leaves them out, goes on and says so', async () => {
    const call = (hoursAgo: number, userId: string): UsageRecord =>
      usageRecord(new Date(NOW_MS - hoursAgo * HOUR_MS).toISOString(), {
        id: `${userId}-${hoursAgo}`,
        userId,
        inputTokens: 10,
        outputTokens: 1,
        totalTokens: 11,
        tokenSource: 'provider',
      });
    const records = Array.from({ length: 1100 }, (_, i) =>
      call(i / 10 + 0.1, i === 30 || i === 1050 ? 'mallory' : 'bob'),
    );
    const expired = call(24 * 20, 'bob');
    const older = [call(24 * 30, 'bob'), call(24 * 30, 'mallory')];
    ledger('from.db', [...records, expired, ...older]).close();
    const target = ledger('to.db', [expired, call(1, 'mallory')]);
    while (target.sumUpDay());
    while (target.removeOlderThan(10, 400));
    target.close();
    await eraseLedgerUser({ path: join(folder, 'to.db'), userId: 'mallory' });
    const { code, out, err } = await copy();
    assert.equal(err, '');
    assert.equal(
      out.replaceAll(join(folder, 'to.db'), 'to.db'),
      `1,098 calls copied
3 left out, since their user was erased in to.db
2 left out, since calls of their time are not kept in to.db
the sums of every day are equal, without the calls that were left out
`,
    );
    assert.equal(code, 0);
    const { leftOut, calls } = JSON.parse((await copy('--json')).out) as Record<string, unknown>;
    assert.deepEqual([leftOut, calls], [{ erased: 3, beyond_retention: 2 }, 1098]);
    // Nothing is forgiven beside them.
    assert.equal((await copy('--verify')).code, 1);
  });
});
