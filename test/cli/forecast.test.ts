import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

const DAY_MS = 86_400_000;

describe('otel-token-meter forecast', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-forecast-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    const call = {
      inputTokens: 9,
      outputTokens: 1,
      totalTokens: 10,
      tokenSource: 'provider',
    } as const;
    const now = Date.now();
    file.write(
      Array.from({ length: 60 }, (_, day) =>
        usageRecord(now - day * DAY_MS - 1, { userId: 'ann', costUsd: 2, ...call }),
      ),
    );
    file.write([usageRecord(now - 3 * DAY_MS, { userId: 'bob', requestModel: 'other', ...call })]);
    file.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const forecast = async (
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo();
    const code = await dispatch(['forecast', ...args, '--sqlite', path, '--tz', 'UTC'], io);
    return { code, out: io.out(), err: io.err() };
  };

  it('prints what was used and what the month will hold, with its basis', async () => {
    const now = new Date();
    const days = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate();
    const { out, err, code } = await forecast('--user', 'ann');
    assert.equal(code, 0);
    const lines = out.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^ +so far +end of month +from +to$/);
    assert.match(lines[1] ?? '', new RegExp(`^cost +\\$[0-9.]+ +\\$${days * 2}\\.00 +\\$`));
    assert.match(lines.at(-1) ?? '', new RegExp(`^calls +\\d+ +${days} +${days} +${days}$`));
    assert.match(err, /\d{4} \(UTC\), from 58 complete days since 20\d\d-\d\d-\d\d\. .* 80 %\.\n/);
  });

  it('prints JSON, and no projection without enough history', async () => {
    const { out } = await forecast('--json');
    assert.equal((JSON.parse(out) as { required_days: number }).required_days, 14);
    const few = await forecast('--user', 'bob');
    assert.match(few.err, /no projection, the ledger has \d complete days.* of the 14 required/);
    assert.equal((await forecast('extra')).code, 2);
  });
});
