import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

const counted = (tokens: number, costUsd?: number) => ({
  inputTokens: tokens,
  outputTokens: 1,
  totalTokens: tokens + 1,
  tokenSource: 'provider' as const,
  ...(costUsd !== undefined && { costUsd }),
});

describe('otel-token-meter report', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-report-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([
      usageRecord('2026-11-01T10:00:00Z', { userId: '小明', ...counted(1000, 0.5) }),
      usageRecord('2026-11-01T11:00:00Z', { userId: '小明', ...counted(500, 0.25) }),
      usageRecord('2026-11-02T10:00:00Z', {
        userId: 'alice\u001B[2J',
        provider: 'acme',
        requestModel: 'house-model',
        ...counted(300),
      }),
      usageRecord('2026-11-02T17:00:00Z', { userId: '=1+1', outcome: 'error' }),
    ]);
    file.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const range = ['--since', '2026-11-01', '--until', '2026-11-03', '--tz', 'UTC'];
  const report = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo();
    const code = await dispatch(['report', ...args, '--sqlite', path], io);
    return { code, out: io.out(), err: io.err() };
  };

  it('prints a table with a total, columns in line, and what the numbers leave out', async () => {
    const { out, err, code } = await report('user', ...range);
    assert.equal(code, 0);
    const lines = out.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      /^user +calls +input +cached +output +total +share +cost +errors +mean$/,
    );
    assert.match(lines[1] ?? '', /^小明 +2 +1,500 +- +2 +1,502 +83.3 % +\$0.750000 +0 +1.2 s$/);
    assert.match(lines[2] ?? '', /^alice\uFFFD\[2J +1 +300 .* - +0 +1.2 s$/);
    assert.match(lines[4] ?? '', /^TOTAL +4 +1,800 .*\$0.750000 +1 /);
    assert.ok(!out.includes('\u001B'));
    assert.match(err, /3 users, 0 conversations/);
    assert.match(err, /genai-prices \d.*of 2\d{3}-\d\d-\d\d/);
    assert.match(err, /Calls without a price.*acme\/house-model \(1\)/);
  });

  it('cuts days in the time zone asked for', async () => {
    const { out } = await report('daily', ...range.slice(0, 4), '--tz', 'Asia/Shanghai', '--json');
    const { rows, from } = JSON.parse(out) as {
      from: string;
      rows: { day: string; calls: number }[];
    };
    assert.equal(from, '2026-10-31T16:00:00.000Z');
    assert.deepEqual(
      rows.map(({ day, calls }) => [day, calls]),
      [
        ['2026-11-01', 2],
        ['2026-11-02', 1],
      ],
    );
  });

  it('compares keys and the total with the period before, not its hours and days', async () => {
    const second = ['--since', '2026-11-02', '--until', '2026-11-03', '--tz', 'UTC', '--compare'];
    const byModel = (await report('model', ...second)).out.trimEnd().split('\n');
    assert.match(byModel[0] ?? '', / change$/);
    assert.match(byModel.find((line) => line.startsWith('house-model')) ?? '', / new$/);
    assert.match(byModel.at(-1) ?? '', /^TOTAL .* -80.0 %$/);
    const byDay = (await report('day', ...second)).out.trimEnd().split('\n');
    assert.match(byDay[1] ?? '', /^2026-11-02 .* -$/);
    assert.match(byDay.at(-1) ?? '', /^TOTAL .* -80.0 %$/);
  });

  it('prints JSON with the price list and the models that have no price', async () => {
    const { out } = await report('--by', 'model', ...range, '--json', '--compare');
    const document = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual(document['group_by'], ['model']);
    assert.deepEqual(document['unpriced'], [{ provider: 'acme', model: 'house-model', calls: 1 }]);
    assert.equal((document['total'] as { total_tokens: number }).total_tokens, 1803);
    assert.ok(document['previous']);
    assert.ok((document['prices'] as { name: string }).name.startsWith('genai-prices'));
  });

  it('prints CSV that no spreadsheet runs, and no total among the rows', async () => {
    const { out } = await report('user', ...range, '--csv');
    const lines = out.trimEnd().split('\r\n');
    assert.match(lines[0] ?? '', /^user,calls,errors,aborted,input_tokens,/);
    assert.equal(lines.length, 4);
    assert.ok(lines.some((line) => line.startsWith("'=1+1,1,1,")));
  });

  it('filters, limits and orders', async () => {
    const { out } = await report(
      'user',
      ...range,
      '--model',
      'gpt-4o',
      '--limit',
      '1',
      '--metric',
      'calls',
      '--json',
    );
    const { rows } = JSON.parse(out) as {
      rows: { user: string; calls: number; is_other?: true }[];
    };
    assert.deepEqual(
      rows.map(({ user, calls }) => [user, calls]),
      [
        ['小明', 2],
        ['(other)', 1],
      ],
    );
  });

  it('says what is wrong', async () => {
    const wrong = await report('colour');
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /groupBy must be one of user, model/);
    assert.match((await report('--since', 'yesterday')).err, /invalid time "yesterday"/);
    assert.match((await report('--limit', 'x')).err, /--limit is not valid/);
    assert.equal((await report('--nonsense')).code, 2);
    const io = memoryIo({ TOKEN_METER_PROVIDER: 'otlp' });
    assert.equal(await dispatch(['report'], io), 1);
    assert.match(io.err(), /otlp cannot be read/);
    const missing = memoryIo({ TOKEN_METER_SQLITE_PATH: join(folder, 'none.db') });
    assert.equal(await dispatch(['report'], missing), 1);
    assert.match(missing.err(), /none\.db: there is no such file/);
  });
});
