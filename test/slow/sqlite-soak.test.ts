import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqliteUsageProcessor } from '../../exporter/sqlite/write/sqlite-usage-processor.ts';
import { unsavedFiles } from '../../exporter/sqlite/write/unsaved-records.ts';
import { until } from '../support/until.ts';
import { randomOf } from '../support/usage-ledger.ts';

/** `SOAK_MINUTES=30` for the long run. */
const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 2);

describe('soak of the SQLite ledger', function () {
  this.timeout((MINUTES + 3) * 60_000);

  it('keeps every accepted record through locks, signals, kills and restarts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-sqlite-soak-'));
    const path = join(folder, 'usage.db');
    const random = randomOf(11);
    const script = (from: number): string => `
      import { writeSync } from 'node:fs';
      import { SqliteUsageProcessor } from '${import.meta.resolve('../../exporter/sqlite/write/sqlite-usage-processor.ts')}';
      import { logOf, usageRecord } from '${import.meta.resolve('../support/usage-logs.ts')}';
      const processor = new SqliteUsageProcessor({ path: ${JSON.stringify(path)} });
      let n = 0;
      setInterval(() => {
        for (let i = 0; i < 5; i++, n++) {
          const record = usageRecord(${from} + n, { inputTokens: 5, outputTokens: 2, tokenSource: 'provider' });
          processor.onEmit(logOf({ ...record, id: process.pid + '-' + n }));
        }
        const { accepted, dropped } = processor.status();
        writeSync(1, JSON.stringify({ emitted: n, accepted, dropped }) + '\\n');
      }, 10);
    `;
    let [least, emitted] = [0, 0];
    const end = performance.now() + MINUTES * 60_000;
    for (let run = 0; performance.now() < end; run++) {
      const args = ['--input-type=module', '-e', script(Date.parse('2026-11-01') + run * 1e7)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (data: Buffer) => (output = (output + data.toString()).slice(-2000)));
      await once(child.stdout, 'data');
      await sleep(500 + random() * 4000);
      const lock = random() < 0.5 ? new DatabaseSync(path, { timeout: 5000 }) : undefined;
      lock?.exec('BEGIN IMMEDIATE');
      await sleep(random() * 1500);
      const isKilled = random() < 0.5;
      child.kill(isKilled ? 'SIGKILL' : 'SIGTERM');
      await once(child, 'close');
      lock?.close();
      const status = JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as {
        emitted: number;
        accepted: number;
        dropped: Record<string, number>;
      };
      assert.deepEqual(status.dropped, {});
      emitted += status.emitted + 5;
      least += isKilled ? status.accepted : status.emitted;
    }
    const last = new SqliteUsageProcessor({ path });
    await until(() => unsavedFiles(path).length === 0);
    await last.shutdown();
    const database = new DatabaseSync(path);
    const { calls, tokens } = database
      .prepare('SELECT count(*) AS calls, sum(total_tokens) AS tokens FROM usage')
      .get() as { calls: number; tokens: number };
    const { rolled } = database.prepare('SELECT sum(calls) AS rolled FROM usage_hour').get() as {
      rolled: number;
    };
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    database.close();
    rmSync(folder, { recursive: true, force: true });
    assert.ok(calls >= least, `${calls} stored, at least ${least} accepted`);
    assert.ok(calls <= emitted, `${calls} stored, ${emitted} emitted`);
    assert.equal(tokens, calls * 7);
    assert.equal(rolled, calls);
  });
});
