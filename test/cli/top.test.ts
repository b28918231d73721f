import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { displayWidth } from '../../src/cli/display-width.ts';
import { until } from '../support/until.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

describe('otel-token-meter top', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-top-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(
      Array.from({ length: 30 }, (_, index) =>
        usageRecord(Date.now() - index * 1000, {
          userId: index % 3 === 0 ? '王小明在测试一个很长很长很长很长的名字' : `user-${index % 3}`,
          inputTokens: 1000 * (1 + (index % 3)),
          outputTokens: 0,
          totalTokens: 1000 * (1 + (index % 3)),
          tokenSource: 'provider',
          costUsd: 0.01,
        }),
      ),
    );
    file.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints one look where the output is no terminal', async () => {
    const io = memoryIo();
    assert.equal(await dispatch(['top', '--sqlite', path], io), 0);
    assert.match(io.out(), /30 calls {2}60K tokens {2}\$0.300000/);
    assert.match(io.out(), /user-2 +█+ +30K +50.0 % +10 calls/);
    assert.ok(!io.out().includes('\u001B'));
  });

  it('prints JSON', async () => {
    const io = memoryIo();
    assert.equal(await dispatch(['top', '--json', '--by', 'model', '--sqlite', path], io), 0);
    const { rows } = JSON.parse(io.out()) as { rows: { model: string; calls: number }[] };
    assert.deepEqual(
      rows.map(({ model, calls }) => [model, calls]),
      [['gpt-4o', 30]],
    );
  });

  for (const columns of [120, 80, 40, 20]) {
    it(`draws no line wider than ${columns} columns, follows keys, and cleans up`, async () => {
      const io = memoryIo({ NO_COLOR: '1' });
      const out = (): string => io.out();
      const modes: boolean[] = [];
      const stdin = Object.assign(new PassThrough(), {
        isTTY: true,
        setRawMode: (isRaw: boolean) => modes.push(isRaw),
      });
      const stdout = Object.assign(io.stdout, { isTTY: true, columns, rows: 24 });
      const ended = dispatch(['top', '--interval', '0.1', '--sqlite', path], {
        ...io,
        stdin,
        stdout,
      });
      await until(() => out().split('\u001B[2J').length > 2);
      stdin.write('m');
      await until(() => out().includes('by model'.slice(0, columns - 16)));
      await until(() => out().includes('gpt-4o'));
      stdin.write('q');
      assert.equal(await ended, 0);
      assert.deepEqual(modes, [true, false]);
      assert.ok(out().endsWith('\u001B[?25h'));
      // oxlint-disable-next-line no-control-regex -- the sequences that move the cursor
      const text = out().replaceAll(/\u001B\[[?\d;]*[A-Za-z]/g, '');
      const widest = Math.max(...text.split('\n').map(displayWidth));
      assert.ok(widest <= columns, `${widest} columns`);
    });
  }

  it('goes on when the ledger cannot be read for a while', async () => {
    const io = memoryIo();
    const out = (): string => io.out();
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => true });
    const stdout = Object.assign(io.stdout, { isTTY: true, columns: 300, rows: 24 });
    const missing = join(folder, 'later.db');
    const ended = dispatch(['top', '--interval', '0.1', '--sqlite', missing], {
      ...io,
      stdin,
      stdout,
    });
    await until(() => out().includes('there is no such file'));
    const file = new LedgerFile({ path: missing, busyTimeoutMs: 1000 });
    file.write([usageRecord(Date.now() - 1000, { userId: 'late' })]);
    file.close();
    await until(() => out().includes('late'));
    stdin.write('\u0003');
    assert.equal(await ended, 0);
  });
});
