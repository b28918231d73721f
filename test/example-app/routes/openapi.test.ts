import { ruleId } from '../../../example-app/routes/alerts-wire.ts';
import assert from 'node:assert/strict';
import { createApp } from '../../../example-app/app.ts';
import { DEMO_MODELS } from '../../../example-app/demo-model/server.ts';
import { Access } from '../../../example-app/middleware/access.ts';
import { ApiDocument, versionOfPackage } from '../../support/api-document.ts';
import { ADMIN_TOKEN, asAdmin, asViewer } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { type WholeApp, serveWholeApp } from '../../support/whole-app.ts';

interface ServedRoutes {
  readonly stack: readonly { readonly path: string; readonly methods: readonly string[] }[];
}

const entries = '/api/settings/console';
const entry = '{"kind":"annotation","time":"2026-11-01T10:00:00Z","text":"Release 1"}';
const json = { 'content-type': 'application/json' };

describe('/openapi.json', () => {
  let app: WholeApp;
  let document: ApiDocument;
  let isStoreAway = false;

  before(async () => {
    app = await serveWholeApp({ changesPerMinute: 1_000_000, maxStreamsEach: 1 });
    document = await ApiDocument.of(app.origin);
    const { store } = app;
    for (const name of ['update', 'audit', 'instances'] as const) {
      const real = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(store, {
        [name]: async (...args: unknown[]) => {
          if (isStoreAway) {
            const { TokenMeterError } = await import('../../../src/errors.ts');
            throw new TokenMeterError('STORE_UNAVAILABLE', 'away');
          }
          return await real(...args);
        },
      });
    }
  });
  after(async () => {
    await app.close();
  });

  it('has every route that is served, and no other', () => {
    const { routes: own, openId } = app;
    const served = createApp({ access: new Access(), routes: [...own], openId });
    const router = served.middleware
      .map((each) => (each as { readonly router?: ServedRoutes }).router)
      .find((each) => each !== undefined);
    const routes = router!.stack.flatMap(({ path, methods }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    assert.deepEqual(document.operations, routes.toSorted());
    assert.ok(routes.length >= 16, String(routes.length));
  });

  it('names the version of the package', () => {
    assert.equal(document.document.info.version, versionOfPackage());
  });

  it('declares what HTTP carries besides bodies', () => {
    const settings = '/api/settings/metrics';
    const namesOf = (method: string, path: string): unknown[] =>
      (document.operation(method, path).parameters ?? []).map(({ name, in: place }) => [
        place,
        name,
      ]);
    assert.deepEqual(namesOf('patch', settings), [
      ['query', 'reason'],
      ['query', 'until'],
      ['header', 'If-Match'],
    ]);
    assert.deepEqual(namesOf('get', settings), [['header', 'If-None-Match']]);
    assert.deepEqual(namesOf('get', `${settings}/events`), [['header', 'Last-Event-ID']]);
    const { responses } = document.operation('patch', settings);
    assert.deepEqual(Object.keys(responses['200']?.headers ?? {}), [
      'ETag',
      'Settings-Version',
      'Settings-Stale-Since',
    ]);
    assert.ok(responses['412']?.content?.['application/problem+json']);
    const { TooManyRequests, Unauthorized } = document.document.components.responses;
    assert.equal(TooManyRequests?.headers?.['Retry-After']?.required, true);
    assert.equal(Unauthorized?.headers?.['WWW-Authenticate']?.required, true);
    for (const path of [`${settings}/events`, '/api/usage/events', '/api/chat']) {
      const method = path === '/api/chat' ? 'post' : 'get';
      const { content = {} } = document.operation(method, path).responses['200'] ?? {};
      assert.ok(content['text/event-stream'], path);
    }
  });

  interface Asked {
    readonly method?: string;
    readonly path: string;
    /** Of the document, where it has parameters. */
    readonly as?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly status: number;
    readonly storeAway?: true;
  }
  const settings = '/api/settings/metrics';
  const budgets = '/api/settings/budgets';
  const budget = '{"window":"day","limit":{"usd":1}}';
  const item = (id: string): { path: string; as: string; headers: typeof asAdmin } => ({
    path: `${budgets}/${id}`,
    as: `${budgets}/{id}`,
    headers: asAdmin,
  });
  const chat = { user_id: 'ann', model: DEMO_MODELS[0], message: 'hello' };
  const asked: readonly Asked[] = [
    { path: '/healthz', status: 200 },
    { path: '/readyz', status: 200 },
    { path: '/openapi.json', status: 200 },
    { path: '/openapi.json', status: 401, headers: { authorization: 'Bearer wrong' } },
    { path: '/api/session', status: 200 },
    { path: '/api/session', status: 200, headers: asAdmin },
    { path: '/api/session', method: 'delete', status: 204, headers: asAdmin },
    { path: '/api/session', method: 'post', status: 200, body: `{"token":"${ADMIN_TOKEN}"}` },
    { path: '/api/session', method: 'post', status: 401, body: '{"token":"wrong"}' },
    { path: '/api/session', method: 'post', status: 422, body: '{"token":5}' },
    { path: '/api/session', method: 'post', status: 400, body: '{' },
    { path: '/api/session', method: 'post', status: 413, body: `{"token":"${'a'.repeat(5000)}"}` },
    { path: '/api/session', method: 'post', status: 415, headers: { 'content-type': 'text/xml' } },
    { path: budgets, status: 200, headers: asViewer },
    { path: budgets, method: 'patch', status: 200, headers: asAdmin, body: `{"y":${budget}}` },
    { path: budgets, method: 'patch', status: 422, headers: asAdmin, body: '{"y":{}}' },
    {
      path: budgets,
      method: 'put',
      status: 412,
      headers: { ...asAdmin, 'if-match': '"99"' },
      body: '{}',
    },
    { path: budgets, method: 'put', status: 200, headers: asAdmin, body: '{}' },
    { path: `${budgets}/audit`, status: 200, headers: asViewer },
    { path: `${budgets}/instances`, status: 200, headers: asViewer },
    { path: `${budgets}/passing`, status: 200, headers: asViewer },
    { path: `${budgets}/events`, status: 401 },
    { ...item('x'), status: 200 },
    { ...item('none'), status: 404 },
    { ...item('y'), method: 'put', status: 201, body: budget },
    { ...item('y'), method: 'put', status: 200, body: budget },
    {
      ...item('y'),
      headers: { ...asAdmin, 'if-none-match': '*' } as typeof asAdmin,
      method: 'put',
      status: 412,
      body: budget,
    },
    { ...item('y'), method: 'patch', status: 200, body: '{"mode":"block"}' },
    { ...item('y'), method: 'patch', status: 422, body: '{"mode":"stop"}' },
    { ...item('none'), method: 'patch', status: 404, body: '{}' },
    { ...item('y'), method: 'delete', status: 204 },
    { ...item('x'), method: 'delete', status: 409 },
    { path: '/api/budgets/status', status: 200, headers: asViewer },
    { path: entries, status: 200, headers: asViewer },
    { path: entries, method: 'patch', status: 200, headers: asAdmin, body: `{"v":${entry}}` },
    { path: entries, method: 'put', status: 200, headers: asAdmin, body: '{}' },
    { path: `${entries}/audit`, status: 200, headers: asViewer },
    { path: `${entries}/instances`, status: 200, headers: asViewer },
    { path: `${entries}/passing`, status: 200, headers: asViewer },
    { path: `${entries}/events`, status: 401 },
    ...[
      { method: 'put', status: 201, body: entry },
      { method: 'put', status: 422, body: '{"kind":"view","name":"x","address":"javascript:x"}' },
      { method: 'put', status: 403, body: entry, headers: asViewer },
      { method: 'get', status: 200 },
      { method: 'patch', status: 200, body: '{"text":"Release 2"}' },
      { method: 'delete', status: 204 },
    ].map((one) => ({
      path: `${entries}/v`,
      as: `${entries}/{id}`,
      headers: asAdmin,
      ...one,
    })),
    { path: settings, status: 200, headers: asViewer },
    { path: settings, status: 401 },
    { path: settings, status: 403, headers: { 'sec-fetch-site': 'cross-site' } },
    { path: settings, method: 'patch', status: 403, headers: asViewer, body: '{}' },
    { path: settings, method: 'patch', status: 200, headers: asAdmin, body: '{"enabled":false}' },
    { path: settings, method: 'patch', status: 422, headers: asAdmin, body: '{"enabled":1}' },
    {
      path: settings,
      method: 'patch',
      status: 412,
      headers: { ...asAdmin, 'if-match': '"99"' },
      body: '{"enabled":true}',
    },
    {
      path: settings,
      method: 'patch',
      status: 422,
      headers: { ...asAdmin, 'if-match': '"1",'.repeat(300) },
      body: '{"enabled":true}',
    },
    {
      path: settings,
      method: 'patch',
      status: 503,
      storeAway: true,
      headers: asAdmin,
      body: '{"enabled":true}',
    },
    { path: `${settings}/audit?limit=5`, as: `${settings}/audit`, status: 200, headers: asViewer },
    { path: `${settings}/audit?limit=0`, as: `${settings}/audit`, status: 422, headers: asViewer },
    { path: `${settings}/audit`, status: 503, storeAway: true, headers: asViewer },
    {
      path: `${settings}?until=${encodeURIComponent(new Date(Date.now() + 600_000).toISOString())}`,
      as: settings,
      method: 'patch',
      status: 200,
      headers: asAdmin,
      body: '{"token_statistics":false}',
    },
    { path: `${settings}/passing`, status: 200, headers: asViewer },
    { path: `${settings}/instances`, status: 200, headers: asViewer },
    { path: `${settings}/instances`, status: 503, storeAway: true, headers: asViewer },
    { path: '/api/usage/summary', status: 200, headers: asViewer },
    {
      path: '/api/usage/summary?group_by=user,hour&percentiles=true&distinct=true&compare=previous',
      as: '/api/usage/summary',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/usage/summary?group_by=user&fields=total_tokens,cost_usd',
      as: '/api/usage/summary',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/usage/summary?fields=total_tokens,x',
      as: '/api/usage/summary',
      status: 422,
      headers: asViewer,
    },
    { path: '/api/usage/summary?x=1', as: '/api/usage/summary', status: 422, headers: asViewer },
    {
      path: '/api/usage/table?group_by=user&search=user&sort=cost_usd&order=asc&limit=2&offset=1',
      as: '/api/usage/table',
      status: 200,
      headers: asViewer,
    },
    { path: '/api/usage/table', status: 422, headers: asViewer },
    {
      path: '/api/usage/table.csv?group_by=model',
      as: '/api/usage/table.csv',
      status: 200,
      headers: asViewer,
    },
    { path: '/api/usage/costs', status: 200, headers: asViewer },
    {
      path: '/api/usage/costs?what_if=gpt-4o=gpt-4.1-mini&what_if=none=other&from=90d',
      as: '/api/usage/costs',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/usage/costs?what_if=gpt-4o',
      as: '/api/usage/costs',
      status: 422,
      headers: asViewer,
    },
    {
      path: '/api/usage/forecast?time_zone=Asia/Shanghai&model=gpt-4o',
      as: '/api/usage/forecast',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/usage/forecast?from=7d',
      as: '/api/usage/forecast',
      status: 422,
      headers: asViewer,
    },
    { path: '/api/usage/records', status: 200, headers: asViewer },
    {
      path: '/api/usage/conversations/c-1',
      as: '/api/usage/conversations/{id}',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/usage/conversations/none',
      as: '/api/usage/conversations/{id}',
      status: 404,
      headers: asViewer,
    },
    {
      path: '/api/usage/runs/run-1',
      as: '/api/usage/runs/{id}',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/usage/runs/none',
      as: '/api/usage/runs/{id}',
      status: 404,
      headers: asViewer,
    },
    { path: '/api/usage/export.csv', status: 200, headers: asViewer },
    ...[
      { status: 200, headers: asAdmin },
      { status: 403, headers: asViewer },
    ].map((answer) => ({
      path: '/api/usage/users?user=nobody&dry_run=true',
      as: '/api/usage/users',
      method: 'delete',
      ...answer,
    })),
    { path: '/api/usage/health', status: 200, headers: asViewer },
    { path: '/api/alerts', status: 200, headers: asViewer },
    {
      path: '/api/alerts/history?limit=5',
      as: '/api/alerts/history',
      status: 200,
      headers: asViewer,
    },
    {
      path: '/api/alerts/history?limit=x',
      as: '/api/alerts/history',
      status: 422,
      headers: asViewer,
    },
    {
      path: `/api/alerts/${ruleId('hour')}/mute`,
      as: '/api/alerts/{id}/mute',
      method: 'post',
      status: 200,
      headers: asAdmin,
      body: '{"minutes":5}',
    },
    {
      path: `/api/alerts/${ruleId('hour')}/mute`,
      as: '/api/alerts/{id}/mute',
      method: 'delete',
      status: 204,
      headers: asAdmin,
    },
    {
      path: '/api/alerts/none/mute',
      as: '/api/alerts/{id}/mute',
      method: 'post',
      status: 404,
      headers: asAdmin,
      body: '{"minutes":5}',
    },
    {
      path: '/api/alerts/none/acknowledge',
      as: '/api/alerts/{id}/acknowledge',
      method: 'post',
      status: 404,
      headers: asAdmin,
      body: '{}',
    },
    { path: '/api/alerts/test', method: 'post', status: 200, headers: asAdmin },
    { path: '/api/usage/events', status: 200, headers: asViewer },
    { path: `${settings}/events`, status: 200, headers: asViewer },
    { path: '/api/events', status: 200, headers: asAdmin },
    { path: '/api/session/openid', method: 'post', status: 200, body: '{}' },
    { path: '/api/session/openid', method: 'post', status: 422, body: '{"back":"//x y"}' },
    { path: '/sign-in/openid', status: 303 },
    { path: '/api/chat/models', status: 200 },
    { path: '/api/chat', method: 'post', status: 200, body: JSON.stringify(chat) },
    {
      path: '/api/chat',
      method: 'post',
      status: 200,
      body: JSON.stringify({ ...chat, stream: true }),
    },
    {
      path: '/api/chat',
      method: 'post',
      status: 422,
      body: JSON.stringify({ ...chat, model: 'none' }),
    },
  ];
  for (const { method = 'get', path, as = path, headers, body, status, storeAway } of asked) {
    it(`describes ${method} ${path} ${status}`, async () => {
      isStoreAway = storeAway ?? false;
      const answer = await fetch(app.origin + path, {
        method: method.toUpperCase(),
        redirect: 'manual',
        headers: { ...(method !== 'get' && json), ...headers },
        ...(method !== 'get' && method !== 'delete' && { body: body ?? '<x/>' }),
      });
      isStoreAway = false;
      assert.equal(answer.status, status);
      await document.check(method, as, answer);
    });
  }

  it('describes 304 and 429', async () => {
    const first = await fetch(app.origin + settings, { headers: asViewer });
    const etag = first.headers.get('etag') ?? '';
    await first.body?.cancel();
    const again = { headers: { ...asViewer, 'if-none-match': etag } };
    await document.check('get', settings, await fetch(app.origin + settings, again));
    let last: Response | undefined;
    await until(async () => {
      const headers = { authorization: 'Bearer wrong' };
      last = await fetch(`${app.origin}/healthz`, { headers });
      if (last.status === 429) return true;
      await last.body?.cancel();
      return false;
    });
    await document.check('get', '/healthz', last!);
  });

  it('is tested on every operation', () => {
    const tested = new Set(asked.map(({ method = 'get', path, as = path }) => `${method} ${as}`));
    assert.deepEqual(
      document.operations.filter((operation) => !tested.has(operation)),
      [],
    );
  });
});
