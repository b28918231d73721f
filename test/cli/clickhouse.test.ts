import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dispatch } from '../../src/cli/dispatch.ts';
import { childEnv } from '../support/child-env.ts';
import { fillClickHouse, requireClickHouse, startClickHouse } from '../support/clickhouse.ts';
import type { TestServer } from '../support/servers.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

describe('commands on ClickHouse', function () {
  this.timeout(60_000);
  let server: TestServer;
  let folder: string;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-clickhouse-cli-'));
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const io = memoryIo({
      CLICKHOUSE_URL: `${server.url}/llm`,
      TOKEN_METER_SPOOL_DIRECTORY: join(folder, 'spool'),
    });
    const code = await dispatch(args, io);
    return { code, out: io.out(), err: io.err() };
  }

  /** In a separate process and folder: it patches every SDK that it finds, for good. */
  async function runDoctor(): Promise<{ out: string }> {
    const out = await new Promise<string>((resolve) => {
      const args = ['--conditions=otel-token-meter/source', CLI, 'doctor', '--write'];
      const env = childEnv({
        CLICKHOUSE_URL: `${server.url}/llm`,
        TOKEN_METER_SPOOL_DIRECTORY: join(folder, 'spool'),
      });
      execFile(process.execPath, args, { cwd: folder, env }, (_error, stdout) => resolve(stdout));
    });
    return { out };
  }

  it('set up, diagnose, report, reprice and erase', async () => {
    const missing = await run('report', '--since', '24h');
    assert.equal(missing.code, 1);
    assert.match(missing.err, /setup clickhouse/);
    const dry = await run('setup', 'clickhouse', '--dry-run', '--retention', '90d');
    assert.equal(dry.code, 0, dry.err);
    assert.match(dry.out, /^CREATE DATABASE IF NOT EXISTS `llm`;$/m);
    assert.match(dry.out, /TTL toDateTime\(time\) \+ INTERVAL 90 DAY/);
    assert.equal((await run('setup', 'clickhouse', '--retention', '36h')).code, 1);
    const made = await run('setup', 'clickhouse', '--retention', '90d');
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /^ok {2}CREATE TABLE IF NOT EXISTS `llm`\.llm_usage$/m);
    const now = Date.now();
    const records = ['alice', 'bob'].map((userId, i) =>
      usageRecord(now - 60_000 * (i + 1), {
        userId,
        inputTokens: 1000,
        outputTokens: 100,
        totalTokens: 1100,
        tokenSource: 'provider',
      }),
    );
    await fillClickHouse(server.url, 'llm', records);
    const doctor = await runDoctor();
    assert.match(doctor.out, /ClickHouse at http:\/\/127\.0\.0\.1:\d+, llm answers, \d+\./);
    assert.match(doctor.out, /2 calls, [\d.]+ MiB on disk and [\d.]+ MiB of sums, kept 90 days/);
    assert.match(doctor.out, /written and read back/);
    const report = await run('report', '--since', '24h', '--by', 'user');
    assert.equal(report.code, 0, report.err);
    assert.match(report.out, /alice/);
    const repriced = await run('reprice', '--json');
    assert.equal(repriced.code, 0, repriced.err);
    assert.match(repriced.out, /"newly_?[pP]riced": 2/);
    const erased = await run('erase', '--user', 'alice', '--yes');
    assert.equal(erased.code, 0, erased.err);
    assert.match(erased.out, /1 calls found, 1 deleted/);
  });
});
