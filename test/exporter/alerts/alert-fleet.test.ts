import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { RedisSharedMap } from '../../../src/settings/index.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';
import type { AlertWorkerOptions } from '../../support/alert-worker.ts';
import { requireServer, startRedis, type TestServer } from '../../support/servers.ts';
import { until } from '../../support/until.ts';

const HOUR = 3_600_000;
const rule: AlertRule = {
  name: 'burn',
  metric: 'totalTokens',
  by: 'user',
  windowMs: HOUR,
  alert: 200,
};

describe('alerts of a fleet on Redis', () => {
  let server: TestServer;
  let now = Date.parse('2026-11-24T00:00:00Z');
  let calls: LedgerCall[];
  let reported: UsageAlert[];
  const maps: RedisSharedMap[] = [];
  const instance = (): UsageAlerts => {
    const states = new RedisSharedMap({ url: server.url, name: 'alerts' });
    maps.push(states);
    return new UsageAlerts({
      rules: [rule],
      reader: alertLedger(calls),
      states,
      now: () => now,
      onAlert: (alert) => reported.push(alert),
    });
  };
  const use = (...users: string[]): void => {
    now += 60_000;
    calls.splice(0, calls.length);
    for (const user of users) calls.push({ atMs: now - 1, user, totalTokens: 500 });
  };
  const levels = (): string[] => reported.map(({ key, level }) => `${key} ${level}`).sort();

  before(async function () {
    requireServer(this, 'redis-server');
    server = await startRedis();
  });
  beforeEach(async () => {
    calls = [];
    reported = [];
    const all = new RedisSharedMap({ url: server.url, name: 'alerts' });
    const entries = await all.read();
    await all.swap([...entries].map(([name, before]) => ({ name, before, after: undefined })));
    await all.close();
  });
  afterEach(async () => {
    for (const map of maps.splice(0)) await map.close();
  });
  after(async () => {
    await server?.stop();
  });

  it('reports each crossing on one of its instances', async () => {
    const fleet = [instance(), instance(), instance()];
    const users = Array.from({ length: 20 }, (_, i) => `user ${i}`);
    use(...users);
    await Promise.all(fleet.map((one) => one.evaluate()));
    await Promise.all(fleet.map((one) => one.evaluate()));
    assert.deepEqual(levels(), users.map((user) => `${user} alert`).sort());
    assert.equal(new Set(reported.map(({ id }) => id)).size, 20);
    use();
    await Promise.all(fleet.map((one) => one.evaluate()));
    assert.equal(reported.filter(({ level }) => level === 'ok').length, 20);
    assert.equal(new Set(reported.map(({ id }) => id)).size, 40);
  });

  it('repeats no active alert at a start, and shows it', async () => {
    use('ann');
    await instance().evaluate();
    use('ann');
    const next = instance();
    await next.evaluate();
    assert.deepEqual(levels(), ['ann alert']);
    assert.deepEqual(
      next.status().active.map(({ key, id }) => [key, id]),
      [['ann', reported[0]?.id]],
    );
    use();
    await next.evaluate();
    assert.deepEqual(levels(), ['ann alert', 'ann ok']);
  });

  it('reports while Redis is away, with one id whichever instance sees it, and repeats nothing after', async () => {
    const [a, b] = [instance(), instance()];
    use('ann');
    await a.evaluate();
    await b.evaluate();
    await server.kill('SIGKILL');
    use('ann', 'bob');
    await a.evaluate();
    await b.evaluate();
    assert.deepEqual(levels(), ['ann alert', 'bob alert', 'bob alert']);
    assert.equal(new Set(reported.map(({ id }) => id)).size, 2);
    assert.match(a.status().lastError?.message ?? '', /Redis/);
    await server.restart();
    // It is empty now: what the instances know goes back to it.
    await until(async () => {
      await a.evaluate();
      await b.evaluate();
      return a.status().lastError === undefined && b.status().lastError === undefined;
    });
    const late = instance();
    await late.evaluate();
    assert.equal(reported.length, 3);
    const active = late.status().active.map(({ key }) => String(key));
    assert.deepEqual(active.toSorted(), ['ann', 'bob']);
    use();
    await Promise.all([a.evaluate(), b.evaluate(), late.evaluate()]);
    assert.deepEqual(levels().slice(0, 2), ['ann alert', 'ann ok']);
    assert.equal(reported.length, 5);
  });

  it('holds alerts at a start while Redis is away, since they may have been reported', async () => {
    use('ann');
    await instance().evaluate();
    await server.kill('SIGKILL');
    use('ann', 'bob');
    const late = instance();
    await late.evaluate();
    await late.evaluate();
    assert.deepEqual(levels(), ['ann alert']);
    assert.equal(late.status().lastEvaluated, undefined);
    assert.match(late.status().lastError?.message ?? '', /Redis/);
    await server.restart();
    await until(async () => {
      await late.evaluate();
      return late.status().lastError === undefined;
    });
    // This Redis came back empty and nobody else is there: what is active counts as new.
    assert.deepEqual(levels(), ['ann alert', 'ann alert', 'bob alert']);
  });
});

describe('alerts of a process that is killed', () => {
  let folder: string;
  let path: string;
  let receiver: Server;
  let url: string;
  let status = 204;
  let received: { readonly id: string; readonly level: string; readonly status: number }[] = [];
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-alert-kill-'));
    path = join(folder, 'states.json');
    received = [];
    receiver = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const id = String(request.headers['webhook-id']);
      const { level } = (JSON.parse(body) as { data: UsageAlert }).data;
      received.push({ id, level, status });
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    receiver.closeAllConnections();
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (options: Partial<AlertWorkerOptions>): Promise<ChildProcess> => {
    const given: AlertWorkerOptions = { path, url, aheadMs: 0, tokens: 500, ...options };
    const worker = new URL('../../support/alert-worker.ts', import.meta.url);
    const child = fork(worker, [JSON.stringify(given)], { stdio: 'inherit' });
    children.push(child);
    await once(child, 'message');
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const isSettled = (): boolean => !readFileSync(path, 'utf8').includes('owed');

  it('are not repeated after the restart, and resolved by it', async () => {
    const first = await start({});
    await until(() => received.length === 1 && isSettled());
    await kill(first);
    const second = await start({});
    assert.equal(received.length, 1);
    await kill(second);
    await start({ tokens: 5 });
    await until(() => received.length === 2);
    assert.deepEqual(
      received.map(({ level }) => level),
      ['alert', 'ok'],
    );
  });

  it('reach a receiver that was away, under one id', async () => {
    status = 503;
    const first = await start({});
    await until(() => received.length >= 5);
    await kill(first);
    status = 204;
    // The next process waits until the killed one cannot be sending any more.
    await start({ aheadMs: 180_000 });
    await until(() => received.some((one) => one.status === 204) && isSettled());
    assert.equal(new Set(received.map(({ id }) => id)).size, 1);
    assert.equal(received.filter((one) => one.status === 204).length, 1);
  });
});
