import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../../exporter/index.ts';
import { commandsOf } from '../../support/doc-commands.ts';
import { answersWith } from '../../support/documented-app.ts';
import { freePort } from '../../support/servers.ts';
import { until } from '../../support/until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What git has of this project, committed or not yet, as a clone of it would be. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-checkout-'));
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0');
  const gone = new Set(git('ls-files', '-z', '--deleted').split('\0'));
  for (const file of files) {
    if (file === '' || gone.has(file)) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  return folder;
}

/** The commands of the documents that are for a checkout. */
describe('a checkout', () => {
  let folder: string;
  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const { NODE_OPTIONS: _options, ...rest } = process.env as Record<string, string>;
    const path = [dirname(process.execPath), rest['PATH'] ?? ''].join(delimiter);
    return { ...rest, PATH: path, XDG_STATE_HOME: folder, ...more };
  };
  before(() => (folder = checkout()));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('README.md: starts, and a replay fills its ledger', async () => {
    const [start = '', replay = ''] = commandsOf('README.md', 'npm ci && npm start');
    const port = await freePort();
    const app = spawn('sh', ['-c', start], {
      cwd: folder,
      env: env({ PORT: `${port}` }),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    app.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    app.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise((resolve) => app.once('close', resolve));
    try {
      await until(() => {
        assert.equal(app.exitCode, null, output);
        return answersWith(`http://127.0.0.1:${port}/healthz`, /ok/);
      }, 240_000);
      await until(() => output.includes(`http://127.0.0.1:${port}/sign-in#`), 10_000);
      execFileSync('sh', ['-c', replay], { cwd: folder, env: env(), stdio: 'pipe' });
      const reader = new SqliteUsageReader({ path: join(folder, '.token-meter/usage.db') });
      const { total } = await reader.summary({
        from: new Date(Date.now() - 3_600_000),
        to: new Date(Date.now() + 60_000),
        groupBy: ['user'],
      });
      await reader.close();
      assert.equal(total.calls, 1957, 'as the README says');
    } finally {
      if (app.exitCode === null && app.pid !== undefined) process.kill(-app.pid, 'SIGTERM');
      await ended;
    }
  });

  it('docs/releases.md: shows what would be published', () => {
    const [dryRun = ''] = commandsOf('docs/releases.md', 'npm run release');
    const git = (...args: readonly string[]): unknown =>
      execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
    git('init', '--initial-branch', 'main');
    writeFileSync(join(folder, '.git/info/exclude'), 'node_modules\n.token-meter\ndist\n');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-m', 'all');
    const output = execFileSync('sh', ['-c', `${dryRun} 2>&1`], { cwd: folder, env: env() });
    assert.match(output.toString(), /\+ otel-token-meter@\d+\.\d+\.\d+/);
  });
});
