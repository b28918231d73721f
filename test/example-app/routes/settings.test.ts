import assert from 'node:assert/strict';
import { settingsRoutes } from '../../../example-app/routes/settings.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  TokenMeterError,
  metricsSettings,
} from '../../../src/settings/index.ts';
import { type ServedApp, asAdmin, asViewer, serveApp } from '../../support/app.ts';

describe('settings over HTTP', () => {
  let app: ServedApp;
  let store: MemorySettingsStore;
  let settings: SettingsService<MetricsSettings>;

  beforeEach(async () => {
    store = new MemorySettingsStore();
    settings = new SettingsService({
      schema: metricsSettings,
      defaults: { token_statistics: false },
      store,
      instance: { id: 'one', name: 'shop', details: () => ({ exporter: { state: 'ok' } }) },
    });
    await settings.start();
    app = await serveApp({ routes: settingsRoutes({ settings, changesPerMinute: 20 }) });
  });

  afterEach(async () => {
    await app.close();
    await settings.close();
    assert.deepEqual(app.errors, []);
  });

  async function get(path = '', headers: Record<string, string> = {}): Promise<Response> {
    const init = { headers: { ...asViewer, ...headers } };
    return await fetch(`${app.origin}/api/settings/metrics${path}`, init);
  }

  async function patch(
    body: unknown,
    headers: Record<string, string> = {},
    query = '',
  ): Promise<Response> {
    return await fetch(`${app.origin}/api/settings/metrics${query}`, {
      method: 'PATCH',
      headers: { ...asAdmin, 'content-type': 'application/merge-patch+json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  async function problem(answer: Response, status: number, code: string): Promise<any> {
    assert.equal(answer.status, status);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    const body = (await answer.json()) as { code: string };
    assert.equal(body.code, code);
    return body;
  }

  it('gives the settings in force with a validator, and 304 to who has them', async () => {
    const first = await get();
    assert.deepEqual(await first.json(), { enabled: true, token_statistics: false });
    const etag = first.headers.get('etag') ?? '';
    assert.match(etag, /^"0-[\w-]+"$/);
    assert.equal(first.headers.get('cache-control'), 'no-cache');
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await get('', { 'if-none-match': known });
      assert.equal(again.status, 304, known);
      assert.equal(await again.text(), '');
      assert.equal(again.headers.get('etag'), etag);
    }
    await patch({ enabled: false });
    const changed = await get('', { 'if-none-match': etag });
    assert.equal(changed.status, 200);
    assert.notEqual(changed.headers.get('etag'), etag);
  });

  it('tells other defaults of the same version apart', async () => {
    const other = new SettingsService({ schema: metricsSettings, store });
    const there = await serveApp({ routes: settingsRoutes({ settings: other }) });
    const url = `${there.origin}/api/settings/metrics`;
    const etag = (await get()).headers.get('etag') ?? '';
    const answer = await fetch(url, { headers: { ...asViewer, 'if-none-match': etag } });
    assert.equal(answer.status, 200);
    await there.close();
  });

  it('applies a merge patch; null goes back to the configured default', async () => {
    const on = await patch({ token_statistics: true });
    assert.deepEqual(await on.json(), { enabled: true, token_statistics: true });
    assert.equal(settings.get().token_statistics, true);
    const same = await patch({ token_statistics: true }, { 'content-type': 'application/json' });
    assert.equal(same.headers.get('etag'), on.headers.get('etag'), 'no change, no version');
    const back = await patch({ token_statistics: null });
    assert.deepEqual(await back.json(), { enabled: true, token_statistics: false });
    assert.equal(back.headers.get('settings-version'), '2');
  });

  it('lets one of two admins win who saw the same version, and shows the other what is', async () => {
    const etag = (await get()).headers.get('etag') ?? '';
    const answers = await Promise.all([
      patch({ enabled: false }, { 'if-match': etag }),
      patch({ token_statistics: true }, { 'if-match': etag }),
    ]);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 412]));
    const lost = answers.find(({ status }) => status === 412)!;
    const body = await problem(lost, 412, 'version_mismatch');
    assert.deepEqual(body.current, settings.get());
    assert.equal(body.version, 1);
    assert.match(body.detail, /^ada changed/);
    const retry = await patch({ enabled: true }, { 'if-match': lost.headers.get('etag') ?? '' });
    assert.equal(retry.status, 200);
  });

  it('reads If-Match generously, and nonsense there as no match', async () => {
    for (const [ifMatch, status] of [
      ['*', 200],
      ['"1"', 200],
      ['2', 200],
      ['W/"3-abc"', 200],
      ['"9", "4"', 200],
      ['"9"', 412],
      ['""', 412],
      ['"5x"', 412],
      ['"-1"', 412],
      ['"99999999999999999999"', 412],
    ] as const) {
      const enabled = settings.version % 2 === 1;
      const answer = await patch({ enabled }, { 'if-match': ifMatch });
      assert.equal(answer.status, status, ifMatch);
    }
  });

  it('changes switches of single teams and services, and leaves the answer of others as it was', async () => {
    const made = await patch({ 'enabled@team:sea': false, 'token_statistics@service:a@b:c': true });
    assert.deepEqual(await made.json(), {
      enabled: true,
      token_statistics: false,
      'enabled@team:sea': false,
      'token_statistics@service:a@b:c': true,
    });
    const passing = new Date(Date.now() + 60_000).toISOString();
    assert.equal(
      (await patch({ 'enabled@team:land': false }, {}, `?until=${passing}`)).status,
      200,
    );
    const { changes } = (await (await get('/passing')).json()) as { changes: { name: string }[] };
    assert.deepEqual(
      changes.map(({ name }) => name),
      ['enabled@team:land'],
    );
    const names = ['enabled@team:sea', 'token_statistics@service:a@b:c', 'enabled@team:land'];
    const back = await patch(Object.fromEntries(names.map((name) => [name, null])));
    assert.deepEqual(await back.json(), { enabled: true, token_statistics: false });
    const many = Object.fromEntries(
      Array.from({ length: 501 }, (_, index) => [`enabled@team:${index}`, false]),
    );
    for (let at = 0; at < 500; at += 100) {
      const some = Object.fromEntries(Object.entries(many).slice(at, at + 100));
      assert.equal((await patch(some)).status, 200);
    }
    const { detail } = await problem(
      await patch({ 'enabled@team:500': false }),
      422,
      'invalid_request',
    );
    assert.match(detail, /at most 500/);
  });

  it('refuses typos, wrong types, deep and dangerous keys, and says what is allowed', async () => {
    for (const [body, pointer, code] of [
      ['{"enabeld":false}', '/enabeld', 'unknown_key'],
      ['{"Enabled":false}', '/Enabled', 'unknown_key'],
      ['{"__proto__":{"enabled":false}}', '/__proto__', 'unknown_key'],
      ['{"constructor":{"prototype":{}}}', '/constructor', 'unknown_key'],
      ['{"a/b~c":1}', '/a~1b~0c', 'unknown_key'],
      ['{"enabled":"no"}', '/enabled', 'wrong_type'],
      ['{"enabled":0}', '/enabled', 'wrong_type'],
      ['{"enabled@team:sea":0}', '/enabled@team:sea', 'wrong_type'],
      ['{"enabled@user:sea":true}', '/enabled@user:sea', 'unknown_key'],
      ['{"enabled@team:":true}', '/enabled@team:', 'unknown_key'],
      ['{"limit@team:sea":true}', '/limit@team:sea', 'unknown_key'],
      ['{"enabled":{"__proto__":true}}', '/enabled', 'wrong_type'],
      ['[]', '', 'wrong_type'],
      ['null', '', 'wrong_type'],
      ['"enabled"', '', 'wrong_type'],
    ] as const) {
      const { errors, detail } = await problem(await patch(body), 422, 'invalid_request');
      assert.deepEqual([errors[0].pointer, errors[0].code], [pointer, code], body);
      if (code === 'unknown_key') assert.match(detail, /allowed: enabled, token_statistics$/);
    }
    assert.equal(settings.version, 0);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  it('refuses what is no JSON, too much, or of another type', async () => {
    await problem(await patch('{'), 400, 'invalid_json');
    await problem(await patch(''), 400, 'invalid_json');
    await problem(
      await patch('{}', { 'content-type': 'text/plain' }),
      415,
      'unsupported_media_type',
    );
    assert.equal((await patch(`{"x":"${'x'.repeat(4096)}"}`)).status, 413);
    await problem(await patch('{}', {}, '?raeson=x'), 422, 'invalid_request');
    await problem(await patch('{}', {}, '?reason=a%0Ab'), 422, 'invalid_request');
  });

  it('lets viewers look and nobody else in', async () => {
    const init = { method: 'PATCH', headers: { ...asViewer, 'content-type': 'application/json' } };
    const url = `${app.origin}/api/settings/metrics`;
    await problem(await fetch(url, { ...init, body: '{}' }), 403, 'forbidden');
    for (const path of ['', '/audit', '/instances', '/events']) {
      await problem(await fetch(url + path), 401, 'unauthorized');
    }
    await problem(await fetch(url, { method: 'PATCH', body: '{}' }), 401, 'unauthorized');
  });

  it('tells who changed what when, from what to what, why, and how to undo it', async () => {
    await patch({ enabled: false }, {}, '?reason=too%20dear');
    await patch({ token_statistics: true });
    const answer = await get('/audit');
    const { entries } = (await answer.json()) as { entries: Record<string, unknown>[] };
    assert.equal(entries.length, 2);
    assert.match(String(entries[1]?.['time']), /^\d{4}-.*Z$/);
    assert.deepEqual(
      { ...entries[1], epoch: typeof entries[1]?.['epoch'], time: undefined },
      {
        version: 1,
        epoch: 'string',
        time: undefined,
        actor: 'ada',
        action: 'change',
        reason: 'too dear',
        from: { enabled: true },
        to: { enabled: false },
        undo: { enabled: null },
      },
    );
    assert.equal(((await (await get('/audit?limit=1')).json()) as any).entries[0].version, 2);
    await problem(await get('/audit?limit=0'), 422, 'invalid_request');
    await problem(await get('/audit?limit=9e9'), 422, 'invalid_request');
  });

  it('makes a change for a time, and lists it', async () => {
    const end = new Date(Date.now() + 600_000).toISOString();
    const until = `?reason=incident&until=${encodeURIComponent(end)}`;
    assert.equal((await patch({ enabled: false }, {}, until)).status, 200);
    const passing = await get('/passing');
    assert.deepEqual(await passing.json(), {
      changes: [{ name: 'enabled', until: end, value: false, after: null, by: 'ada' }],
    });
    const { entries } = (await (await get('/audit')).json()) as any;
    assert.deepEqual([entries[0].until, entries[0].reason], [end, 'incident']);
    for (const wrong of ['2h', '2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
      const answer = await patch({ enabled: true }, {}, `?until=${wrong}`);
      await problem(answer, 422, 'invalid_request');
    }
    assert.equal(settings.version, 1);
  });

  it('lists instances with version, uptime and exporter', async () => {
    await patch({ enabled: false });
    const report = {
      id: 'two',
      name: 'shop',
      host: 'h',
      pid: 2,
      version: 0,
      state: 'stale',
      startedAt: new Date(Date.now() - 90_000).toISOString(),
    } as const;
    await store.report(report, 60_000);
    await store.report({ ...report, id: 'gone' }, 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const list = (await (await get('/instances')).json()) as any;
    assert.equal(list.version, 1);
    assert.deepEqual(
      list.instances.map(({ id, version, state }: any) => [id, version, state]),
      [
        ['one', 1, 'ready'],
        ['two', 0, 'stale'],
      ],
    );
    assert.deepEqual(list.instances[0].details, { exporter: { state: 'ok' } });
    assert.ok(Math.abs(list.instances[1].uptime_seconds - 90) <= 2);
  });

  it('answers 503 and never a false success when the store is away', async () => {
    const away = async (): Promise<never> => {
      throw new TokenMeterError('STORE_UNAVAILABLE', 'connect ECONNREFUSED secret-host:6379');
    };
    Object.assign(store, { update: away, audit: away, instances: away });
    for (const answer of [
      await patch({ enabled: false }),
      await get('/audit'),
      await get('/instances'),
    ]) {
      assert.equal(answer.headers.get('retry-after'), '5');
      const body = await problem(answer, 503, 'store_unavailable');
      assert.doesNotMatch(JSON.stringify(body), /secret-host/);
    }
    assert.equal((await get()).status, 200);
    assert.equal(settings.get().enabled, true);
  });

  it('limits changes by caller', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++) statuses.push((await patch({})).status);
    assert.deepEqual(statuses.slice(0, 20), Array<number>(20).fill(200));
    assert.ok(statuses.slice(20).every((status) => status === 429));
    assert.equal((await get()).status, 200);
  });
});
