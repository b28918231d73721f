import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsRoutes } from '../../example-app/routes/settings.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import { ADMIN_TOKEN, type ServedApp, VIEWER_TOKEN, serveApp } from '../support/app.ts';
import { freePort } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { memoryIo } from './memory-io.ts';

describe('otel-token-meter settings', () => {
  let app: ServedApp;
  let store: MemorySettingsStore;
  let settings: SettingsService<MetricsSettings>;

  beforeEach(async () => {
    store = new MemorySettingsStore();
    settings = new SettingsService({ schema: metricsSettings, store, instance: { id: 'one' } });
    await settings.start();
    app = await serveApp({ routes: settingsRoutes({ settings, instancesEveryMs: 50 }) });
  });

  afterEach(async () => {
    await app.close();
    await settings.close();
  });

  async function call(
    args: readonly string[],
    env: Record<string, string> = { TOKEN_METER_TOKEN: ADMIN_TOKEN },
    stdin = '',
  ): Promise<{ code: number; out: string; err: string }> {
    const io = memoryIo({ TOKEN_METER_URL: app.origin, ...env }, stdin);
    const code = await dispatch(['settings', ...args], io);
    assert.doesNotMatch(io.out() + io.err(), /secret/, 'a token must not be shown');
    return { code, out: io.out(), err: io.err() };
  }

  it('gets the settings, for people and for programs', async () => {
    await settings.patch({ enabled: false });
    const { code, out } = await call(['get']);
    assert.equal(code, 0);
    assert.match(out, /^setting +value\nenabled +false\ntoken_statistics +true\nversion 1\n$/);
    assert.deepEqual(JSON.parse((await call(['get', '--json'])).out), {
      version: 1,
      settings: { enabled: false, token_statistics: true },
    });
  });

  it('sets settings, tells what changed, and waits for the instances', async () => {
    const set = await call(['set', 'enabled=off', '--reason', 'über 100 €', '--wait']);
    assert.deepEqual([set.code, set.out], [0, 'enabled: true -> false\nversion 1\n']);
    assert.match(set.err, /1 of 1 instances on version 1\n$/);
    assert.equal((await settings.audit())[0]?.reason, 'über 100 €');
    assert.equal((await settings.audit())[0]?.actor, 'ada');
    assert.equal((await call(['set', 'enabled=false'])).out, 'unchanged, version 1\n');
    assert.equal(
      (await call(['set', 'enabled=default'])).out,
      'enabled: false -> true\nversion 2\n',
    );
  });

  it('sets settings for a time', async () => {
    assert.equal((await call(['set', 'enabled=off', '--for', '2h'])).code, 0);
    const left = Date.parse(settings.passing['enabled']?.until ?? '') - Date.now();
    assert.ok(left > 7_100_000 && left <= 7_200_000, String(left));
    for (const wrong of ['0h', '2w', 'soon']) {
      const { code, err } = await call(['set', 'enabled=off', '--for', wrong]);
      assert.equal(code, 1, wrong);
      assert.match(err, /--for is not valid/);
    }
  });

  it('does not take silence for agreement: without instances waiting fails', async () => {
    store.instances = async () => [];
    const { code, out, err } = await call(['set', 'enabled=off', '--wait', '--timeout', '1']);
    assert.deepEqual([code, out], [1, 'enabled: true -> false\nversion 1\n']);
    assert.match(err, /0 of 0 instances[^]*no instance has reported: is anything running/);
  });

  it('says when instances do not follow', async () => {
    const report = { name: 'x', host: 'h', pid: 1, version: 0, state: 'ready' } as const;
    const startedAt = new Date().toISOString();
    await store.report({ ...report, id: 'lost', startedAt }, 60_000);
    const { code, err } = await call(['set', 'enabled=off', '--wait', '--timeout', '1']);
    assert.equal(code, 1);
    assert.match(
      err,
      /1 of 2 instances on version 1\nnot all instances applied the change within 1 s\n$/,
    );
  });

  it('explains what the application refuses', async () => {
    const typo = await call(['set', 'enabeld=true']);
    assert.equal(typo.code, 1);
    assert.match(typo.err, /422: "enabeld" is not known; allowed: enabled, token_statistics/);
    const type = await call(['set', 'enabled=yes']);
    assert.match(type.err, /422: "enabled": .*boolean/);
    const late = await call(['set', 'enabled=off', '--if-version', '7']);
    assert.deepEqual([late.code, settings.version], [1, 0]);
    assert.match(late.err, /412: Somebody else changed/);
    const viewer = await call(['set', 'enabled=off'], { TOKEN_METER_TOKEN: VIEWER_TOKEN });
    assert.match(viewer.err, /403: This needs the admin role/);
    const nobody = await call(['get'], {});
    assert.match(nobody.err, /401: .*\(allowed: an access token in --token or TOKEN_METER_TOKEN\)/);
  });

  it('explains what was called wrongly', async () => {
    for (const args of [[], ['fly'], ['get', 'x'], ['get', '--nope']]) {
      assert.equal((await call(args)).code, 2, args.join(' '));
    }
    assert.match((await call(['set'])).err, /KEY=VALUE, such as enabled=false/);
    assert.match((await call(['set', '=1'])).err, /"=1" is not a setting/);
    assert.match((await call(['set', 'a=1', '--wait', '--timeout', 'x'])).err, /whole seconds/);
    assert.match((await call(['get', '--url', 'ftp://x'])).err, /http:\/\/host:port/);
    const help = await call(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, /Usage: otel-token-meter settings get/);
  });

  it('says that nobody is there, without the credentials of the address', async () => {
    const url = `http://user:secret@127.0.0.1:${await freePort()}`;
    const { code, err } = await call(['get', '--url', url]);
    assert.equal(code, 1);
    assert.match(err, /127\.0\.0\.1:\d+ is not reachable: ECONNREFUSED/);
  });

  it('takes the token from a file, stdin or the admin variable', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-cli-'));
    const file = join(folder, 'token');
    writeFileSync(file, `${VIEWER_TOKEN}\n`);
    assert.equal((await call(['get', '--token-file', file], {})).code, 0);
    rmSync(folder, { recursive: true });
    assert.equal((await call(['get', '--token-file', '-'], {}, `${VIEWER_TOKEN}\n`)).code, 0);
    const list = `ada:${ADMIN_TOKEN}, bob:other`;
    assert.equal((await call(['get'], { TOKEN_METER_ADMIN_TOKEN: list })).code, 0);
  });

  it('warns before a token would travel unencrypted', async () => {
    const { err } = await call(['get', '--url', 'http://does-not-exist.invalid']);
    assert.match(err, /^warning: the token is sent to .* unencrypted; use https\n/);
  });

  it('watches until a change comes, through a restart of the application', async () => {
    const io = memoryIo({ TOKEN_METER_URL: app.origin, TOKEN_METER_TOKEN: VIEWER_TOKEN });
    const watching = dispatch(['settings', 'watch', '--once'], io);
    await until(() => /instances: 1 of 1/.test(io.out()));
    app.server.closeAllConnections();
    await until(() => /retrying|reconnecting/.test(io.err()));
    await settings.patch({ enabled: false }, { actor: 'bob\n\u001b[2J' });
    assert.equal(await watching, 0);
    assert.match(
      io.out(),
      /version 0: enabled=true token_statistics=true\nstore ready\n(.*\n)*version 1: enabled=false token_statistics=true by bob\uFFFD\uFFFD\[2J at 20.*Z\n$/,
    );
  });

  it('ends the watch when the token is refused', async () => {
    const { code, err } = await call(['watch'], { TOKEN_METER_TOKEN: 'wrong' });
    assert.equal(code, 1);
    assert.match(err, /401: The bearer token is not valid/);
  });

  it('watches as a program of its own, and ends by Ctrl-C', async () => {
    const child = spawn(
      process.execPath,
      ['--conditions=otel-token-meter/source', 'src/cli/main.ts', 'settings', 'watch', '--json'],
      { env: { TOKEN_METER_URL: app.origin, TOKEN_METER_TOKEN: VIEWER_TOKEN } },
    );
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    await until(() => out.includes('"event":"settings"'));
    await settings.patch({ token_statistics: false });
    await until(() => out.includes('"version":1'));
    child.kill('SIGINT');
    await once(child, 'exit');
    for (const line of out.trimEnd().split('\n')) JSON.parse(line);
  });
});
