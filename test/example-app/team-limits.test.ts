import assert from 'node:assert/strict';
import { stopBudgets } from '../../src/budgets/budgets-in-force.ts';
import { OpenAI } from 'openai';
import { TokenMeterInstrumentation } from 'otel-token-meter';
import { Access } from '../../example-app/middleware/access.ts';
import type { AlertRule } from '../../exporter/index.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { type Described, describedOperations } from '../support/fuzz-routes.ts';
import { receiveEvents } from '../support/event-source.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { type WholeApp, serveWholeApp } from '../support/whole-app.ts';

/** In every name of the other team: no answer to the viewer of `sea` may hold it. */
const MARK = /zeta/i;
const ADMIN = { authorization: 'Bearer an-admins-token-1' } as const;
const OF_SEA = { authorization: 'Bearer a-viewer-of-sea-1' } as const;
const OF_NONE = { authorization: 'Bearer a-viewer-of-none' } as const;
const NOW = Date.now();

const call = (ageMs: number, over: Partial<UsageRecord>): UsageRecord =>
  usageRecord(NOW - ageMs, {
    conversationId: 'shared',
    inputTokens: 10,
    outputTokens: 5,
    totalTokens: 15,
    tokenSource: 'provider',
    costUsd: 0.25,
    costSource: 'list',
    ...over,
  });

const own = (ageMs: number): UsageRecord =>
  call(ageMs, { team: 'sea', userId: 'ann', dimensions: { feature: 'search' } });

/** Of the other team, and of none; each with the same conversation as those of `sea`. */
const foreign = (ageMs: number, team: string | undefined): UsageRecord =>
  call(ageMs, {
    ...(team !== undefined && { team }),
    userId: 'zeta-user',
    service: 'zeta-service',
    provider: 'zeta-provider',
    requestModel: 'zeta-model',
    responseModel: 'zeta-model',
    responseId: 'zeta-response',
    errorType: 'zeta-error',
    outcome: 'error',
    cacheReadTokens: 5,
    dimensions: { feature: 'zeta-feature', tenant: 'zeta' },
    attributes: { zeta: 'zeta' },
  });

const RECORDS = Array.from({ length: 30 }, (_, i) => [
  own(i * 60_000 + 1),
  foreign(i * 60_000 + 2, 'zeta-team'),
  foreign(i * 60_000 + 3, undefined),
]).flat();

const access = new Access({
  adminTokens: 'root:an-admins-token-1',
  viewerTokens: 'sue:a-viewer-of-sea-1,nils:a-viewer-of-none',
  viewerTeams: '{"sue":["sea"],"nils":[]}',
});

const window = { metric: 'calls', windowMs: 86_400_000, alert: 1 } as const;
const RULES: readonly AlertRule[] = [
  { ...window, name: 'each team', by: 'team' },
  { ...window, name: 'users of sea', by: 'user', filter: { team: 'sea' } },
  { ...window, name: 'zeta of everybody', by: 'user' },
  { ...window, name: 'zeta alone', filter: { team: 'zeta-team' } },
  { ...window, name: 'zeta and sea', filter: { team: ['sea', 'zeta-team'] } },
  { ...window, name: 'zeta of none', filter: { team: ['sea', null] } },
];

describe('a viewer who is limited to a team', () => {
  let app: WholeApp;
  let operations: readonly Described[];

  before(async () => {
    app = await serveWholeApp({
      access,
      records: RECORDS,
      dimensions: ['feature', 'tenant'],
      details: () => ({ exporter: { lastError: { message: 'tag zeta refused' } } }),
      alertRules: RULES,
      budgets: [
        { id: 'zeta-budget', scope: { team: 'zeta-team' }, window: 'day', limit: { usd: 5 } },
        { id: 'of-sea', scope: { team: 'sea' }, window: 'day', limit: { usd: 5 } },
      ],
      health(alerts) {
        return {
          alerts: (teams) => alerts.status(teams).active,
          exporter: () => ({
            state: 'failing',
            accepted: 1,
            delivered: 0,
            dropped: {},
            retries: 1,
            spoolBytes: 0,
            lastError: {
              time: new Date(NOW).toISOString(),
              code: 'X',
              message: 'tag zeta refused',
            },
          }),
        };
      },
    });
    const changed = await fetch(`${app.origin}/api/settings/metrics?reason=zeta%20asked`, {
      method: 'PATCH',
      headers: { ...ADMIN, 'content-type': 'application/json' },
      body: '{"token_statistics":false}',
    });
    assert.equal(changed.status, 200);
    operations = await describedOperations(app.origin);
  });

  after(async () => {
    await app.close();
  });

  /** The body, of a stream what comes within a quarter of a second in which the other team is busy. */
  async function bodyOf(
    path: string,
    headers: Readonly<Record<string, string>>,
    method = 'GET',
    body?: string,
  ): Promise<string> {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(app.origin + path, {
      method: method.toUpperCase(),
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal,
    });
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
    const head = JSON.stringify([...answer.headers]);
    if (!(answer.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
      return head + (await answer.text());
    }
    let text = head;
    const decoder = new TextDecoder();
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) text += decoder.decode(chunk as Uint8Array);
    })().catch(() => undefined);
    app.write([foreign(0, 'zeta-team')]);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await answer.body?.cancel().catch(() => undefined);
    await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 50))]);
    return text;
  }

  const GROUPS = ['user', 'model', 'team', 'service', 'outcome', 'dimension.feature', 'tenant'];

  /** Requests of one route, with everything that could bring another team in. */
  function pathsOf({ path }: Described): readonly string[] {
    const ids = path.includes('{') ? ['shared', 'zeta', 'zeta-budget', 'of-sea'] : [''];
    const filled = ids.map((id) => path.replaceAll(/\{\w+\}/g, id));
    const queries = [
      '',
      ...(path.startsWith('/api/usage/') && !path.endsWith('events') ? ['?from=7d'] : []),
      ...(path.endsWith('/summary')
        ? GROUPS.map(
            (group) => `?from=7d&limit=1000&distinct=true&compare=previous&group_by=${group}`,
          )
        : []),
      ...(path.endsWith('/costs') ? ['?from=7d&what_if=gpt-4o=gpt-4o-mini'] : []),
    ];
    return filled.flatMap((one) => queries.map((query) => one + query));
  }

  it('gets no byte of another team from any route, while an admin does', async () => {
    const leaks: string[] = [];
    const seenByAdmin = new Set<string>();
    for (const operation of operations) {
      const { method, path } = operation;
      const body = method === 'get' || method === 'delete' ? undefined : '{}';
      for (const asked of pathsOf(operation)) {
        // What is asked for may come back in a message.
        const text = (await bodyOf(asked, OF_SEA, method, body)).replaceAll(asked, '');
        if (MARK.test(text))
          leaks.push(`${method} ${asked}: ${/.{0,60}zeta.{0,20}/i.exec(text)?.[0]}`);
        if (method === 'get' && MARK.test(await bodyOf(asked, ADMIN))) seenByAdmin.add(path);
      }
    }
    assert.deepEqual(leaks, []);
    // Otherwise the test would show nothing.
    for (const path of [
      '/api/alerts',
      '/api/alerts/history',
      '/api/events',
      '/api/settings/budgets',
      '/api/settings/budgets/events',
      '/api/settings/budgets/{id}',
      '/api/settings/metrics/audit',
      '/api/settings/metrics/events',
      '/api/settings/metrics/instances',
      '/api/usage/conversations/{id}',
      '/api/usage/costs',
      '/api/usage/export.csv',
      '/api/usage/events',
      '/api/usage/health',
      '/api/usage/records',
      '/api/usage/summary',
    ]) {
      assert.ok(seenByAdmin.has(path), path);
    }
  });

  async function json<T>(path: string, headers: Readonly<Record<string, string>>): Promise<T> {
    const answer = await fetch(app.origin + path, { headers });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as T;
  }

  it('sees the own calls, all of them', async () => {
    const { total, rows } = await json<{
      total: { calls: number; cost_usd: number };
      rows: unknown[];
    }>('/api/usage/summary?from=7d&group_by=team', OF_SEA);
    assert.equal(total.calls, 30);
    assert.equal(total.cost_usd, 7.5);
    assert.partialDeepStrictEqual(rows, [{ team: 'sea', calls: 30, share: 1 }]);
    const { records } = await json<{ records: unknown[] }>('/api/usage/records?limit=1000', OF_SEA);
    assert.equal(records.length, 30);
    const shared = await json<{ records: unknown[]; total: { calls: number } }>(
      '/api/usage/conversations/shared',
      OF_SEA,
    );
    assert.equal(shared.records.length, 30);
    assert.equal(shared.total.calls, 30);
    const health = await json<{ alerts: { rule: string; key: string | null }[] }>(
      '/api/usage/health',
      OF_SEA,
    );
    assert.deepEqual(health.alerts.map(({ rule, key }) => `${rule}: ${key}`).toSorted(), [
      'each team: sea',
      'users of sea: ann',
    ]);
    assert.deepEqual(await json('/api/session', OF_SEA), {
      name: 'sue',
      role: 'viewer',
      teams: ['sea'],
    });
  });

  it('asks for dimensions by their full names and their short ones', async () => {
    type Answer = { group_by: string[]; total: { calls: number }; rows: object[] };
    for (const [query, calls] of [
      ['dimension.feature=search', 30],
      ['feature=search', 30],
      ['feature=search&feature=', 30],
      ['feature=', 0],
      ['tenant=', 30],
    ] as const) {
      for (const group of ['dimension.feature', 'feature']) {
        const path = `/api/usage/summary?from=7d&group_by=${group},team&${query}`;
        const { group_by: groups, total, rows } = await json<Answer>(path, OF_SEA);
        assert.deepEqual(groups, ['dimension.feature', 'team']);
        assert.equal(total.calls, calls, path);
        const expected = { 'dimension.feature': 'search', team: 'sea', calls: 30 };
        assert.partialDeepStrictEqual(rows, calls === 0 ? [] : [expected]);
      }
    }
    const [head = '', ...lines] = (await bodyOf('/api/usage/export.csv', OF_SEA)).split('\r\n');
    assert.match(head, /,team,.*,dimension\.feature,dimension\.tenant,units,attributes$/);
    assert.equal(lines.filter((line) => /,sea,.*,search,,/.test(line)).length, 30);
    for (const query of ['dimension.region=x', 'group_by=dimension.Region', 'region=x']) {
      const answer = await fetch(`${app.origin}/api/usage/summary?${query}`, { headers: OF_SEA });
      assert.equal(answer.status, 422, query);
    }
  });

  it('gets nothing by asking for others', async () => {
    for (const filter of [
      'team=zeta-team',
      'team=',
      'team=zeta-team&team=',
      'user=zeta-user',
      'model=zeta-model',
      'dimension.feature=zeta-feature',
      'tenant=zeta',
      'service=zeta-service',
      'outcome=error',
    ]) {
      const { total, rows } = await json<{ total: { calls: number }; rows: unknown[] }>(
        `/api/usage/summary?from=7d&group_by=user&distinct=true&${filter}`,
        OF_SEA,
      );
      assert.deepEqual([total.calls, rows], [0, []], filter);
      const page = await json<{ records: unknown[] }>(`/api/usage/records?${filter}`, OF_SEA);
      assert.deepEqual(page.records, [], filter);
      const csv = await bodyOf(`/api/usage/export.csv?${filter}`, OF_SEA);
      assert.equal(csv.split('\n').filter((line) => line.includes('shared')).length, 0, filter);
    }
    const both = await json<{ total: { calls: number } }>(
      '/api/usage/summary?from=7d&team=sea&team=zeta-team&team=',
      OF_SEA,
    );
    assert.equal(both.total.calls, 30);
  });

  it('goes on from a cursor of somebody else with the own calls', async () => {
    const { cursor } = await json<{ cursor: string }>('/api/usage/records?limit=2', ADMIN);
    const text = await bodyOf(`/api/usage/records?limit=1000&cursor=${cursor}`, OF_SEA);
    assert.doesNotMatch(text, MARK);
    assert.match(text, /"team":"sea"/);
  });

  it('is told of no call of others, also not with a foreign Last-Event-ID', async () => {
    const stream = await receiveEvents(`${app.origin}/api/usage/events`, {
      ...OF_SEA,
      'last-event-id': '1',
    });
    const all = await receiveEvents(`${app.origin}/api/events`, ADMIN);
    const sequences = (): unknown[] =>
      stream.events.filter(({ event }) => event === 'usage').map(({ data }) => data['sequence']);
    await stream.next(({ event }) => event === 'usage');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = sequences();
    const seen = all.events.length;
    app.write([foreign(0, 'zeta-team')]);
    await all.next((event) => event.event === 'usage' && all.events.indexOf(event) >= seen);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(sequences(), before);
    app.write([own(0)]);
    await stream.next(
      ({ event, data }) => event === 'usage' && !before.includes(data['sequence'] as never),
    );
    stream.close();
    all.close();
  });

  it('is not told that the own view has not changed by the ETag of somebody else', async () => {
    const path = '/api/settings/budgets';
    const get = async (headers: Readonly<Record<string, string>>): Promise<Response> =>
      await fetch(app.origin + path, { headers });
    const tag = (await get(ADMIN)).headers.get('etag') ?? '';
    const own = await get({ ...OF_SEA, 'if-none-match': tag });
    assert.equal(own.status, 200);
    const again = await get({ ...OF_SEA, 'if-none-match': own.headers.get('etag') ?? '' });
    assert.equal(again.status, 304);
  });

  it('stays limited in a session, and a cookie with more teams is none', async () => {
    const answer = await fetch(`${app.origin}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"token":"a-viewer-of-sea-1"}',
    });
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    assert.doesNotMatch(await bodyOf('/api/usage/records', { cookie }), MARK);
    const [name = '', value = ''] = cookie.split('=');
    const [payload = '', signature = ''] = value.split('.');
    const signed = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    for (const forged of [
      { ...signed, teams: ['zeta-team'] },
      { ...signed, teams: undefined },
    ]) {
      const other = Buffer.from(JSON.stringify(forged)).toString('base64url');
      const who = await json<{ name: string | null }>('/api/session', {
        cookie: `${name}=${other}.${signature}`,
      });
      assert.equal(who.name, null);
    }
  });

  it('sees nothing with no team at all', async () => {
    const { total } = await json<{ total: { calls: number } }>(
      '/api/usage/summary?from=7d&team=&distinct=true',
      OF_NONE,
    );
    assert.equal(total.calls, 0);
    const { records } = await json<{ records: unknown[] }>('/api/usage/records', OF_NONE);
    assert.deepEqual(records, []);
    const gone = await fetch(`${app.origin}/api/usage/conversations/shared`, { headers: OF_NONE });
    assert.equal(gone.status, 404);
    const { alerts: none } = await json<{ alerts: unknown[] }>('/api/usage/health', OF_NONE);
    assert.deepEqual(none, []);
  });

  it('chats for the own team only, and continues no conversation of another', async () => {
    const say = async (headers: object, body: object): Promise<Response> =>
      await fetch(`${app.origin}/api/chat`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ user_id: 'ann', model: 'gpt-4o', message: 'Tide?', ...body }),
      });
    const tokens = async (answer: Response): Promise<number> => {
      assert.equal(answer.status, 200, await answer.clone().text());
      return ((await answer.json()) as { usage: { prompt_tokens: number } }).usage.prompt_tokens;
    };
    const fresh = await tokens(await say(OF_SEA, { conversation_id: 'fresh' }));
    const secret = { conversation_id: 'theirs', message: 'zeta secret '.repeat(100) };
    await tokens(await say(ADMIN, { ...secret, team: 'zeta-team' }));
    await tokens(await say(ADMIN, secret));
    assert.equal(await tokens(await say(OF_SEA, { conversation_id: 'theirs' })), fresh);
    assert.equal((await say(OF_SEA, { team: 'zeta-team' })).status, 403);
    assert.equal((await say({ ...OF_SEA, 'x-team': 'zeta-team' }, {})).status, 403);
    assert.equal((await say(OF_NONE, {})).status, 403);
  });

  it('is told no amount of a budget in which other teams count', async () => {
    // Budgets belong to the process, and other suites run in it.
    await stopBudgets();
    const instrumentation = new TokenMeterInstrumentation({
      budgets: [
        {
          id: 'each',
          scope: { each: ['user'] },
          window: 'day',
          limit: { calls: 3 },
          mode: 'block',
        },
        { id: 'all', window: 'day', limit: { calls: 1000 }, mode: 'block' },
      ],
    });
    instrumentation.instrument('openai', OpenAI);
    try {
      const say = async (headers: object, body: object): Promise<Response> =>
        await fetch(`${app.origin}/api/chat`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ user_id: 'zoe', model: 'gpt-4o', message: 'Tide?', ...body }),
        });
      for (const stream of [false, true]) {
        const others = await say(ADMIN, { team: 'zeta-team', stream });
        await others.text();
        assert.match(others.headers.get('ratelimit') ?? '', /"each";r=/);
      }
      for (const [stream, status] of [
        [true, 200],
        [false, 429],
        [true, 429],
      ] as const) {
        const answer = await say(OF_SEA, { stream });
        assert.equal(answer.status, status);
        assert.equal(answer.headers.get('ratelimit'), null);
        assert.equal(answer.headers.get('ratelimit-policy'), null);
        assert.doesNotMatch(await answer.text(), /"(spent|limit)"/);
      }
    } finally {
      instrumentation.disable();
      await stopBudgets();
    }
  });

  it('gets the newest own entries of the audit log, however many others there are', async () => {
    const put = async (id: string, team: string, usd: number): Promise<void> => {
      const answer = await fetch(`${app.origin}/api/settings/budgets/${id}`, {
        method: 'PUT',
        headers: { ...ADMIN, 'content-type': 'application/json' },
        body: JSON.stringify({ scope: { team }, window: 'day', limit: { usd } }),
      });
      assert.ok(answer.ok);
    };
    await put('of-sea', 'sea', 6);
    for (const usd of [7, 8, 9]) await put('zeta-budget', 'zeta-team', usd);
    const path = '/api/settings/budgets/audit?limit=1';
    const { entries } = await json<{ entries: unknown[] }>(path, OF_SEA);
    assert.partialDeepStrictEqual(entries, [{ to: { 'of-sea': { limit: { usd: 6 } } } }]);
  });

  it('is not told what is wrong in the store, which may be of others', async () => {
    const value = { ...app.settings.status, problem: 'zeta-budget: limit.usd is "five"' };
    Object.defineProperty(app.settings, 'status', { value, configurable: true });
    for (const path of ['/api/events', '/api/settings/metrics/events']) {
      assert.match(await bodyOf(path, ADMIN), MARK);
      assert.doesNotMatch(await bodyOf(path, OF_SEA), MARK);
    }
    Reflect.deleteProperty(app.settings, 'status');
  });
});
