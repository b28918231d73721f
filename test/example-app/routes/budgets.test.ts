import assert from 'node:assert/strict';
import { type BudgetsRoutesOptions, budgetsRoutes } from '../../../example-app/routes/budgets.ts';
import {
  type BudgetJson,
  type BudgetStatus,
  type BudgetsDocument,
  budgetsDocument,
  budgetsSettings,
} from '../../../src/budgets/index.ts';
import { MemorySettingsStore, SettingsService } from '../../../src/settings/index.ts';
import { type ServedApp, asAdmin, asViewer, serveApp } from '../../support/app.ts';
import { receiveEvents } from '../../support/event-source.ts';

const search = { scope: { team: 'search' }, window: 'month', limit: { usd: 100 } } as const;
const daily = { window: 'day', limit: { calls: 10 }, mode: 'block' } as const;

function status(id: string, key: BudgetStatus['key']): BudgetStatus {
  return {
    id,
    key,
    mode: 'block',
    unit: 'usd',
    limit: 100,
    spent: 99.5,
    reserved: 0.25,
    remaining: 0.25,
    from: '2026-11-01T00:00:00.000Z',
    resetsAt: '2026-12-01T00:00:00.000Z',
    blocked: false,
    stale: false,
  };
}

const keysOf = (document: unknown): string[] => Object.keys(document as object);

describe('budgets over HTTP', () => {
  let app: ServedApp;
  let store: MemorySettingsStore;
  let settings: SettingsService<BudgetsDocument>;
  let asked: unknown[];

  beforeEach(async () => {
    store = new MemorySettingsStore();
    settings = new SettingsService({
      schema: budgetsSettings,
      defaults: budgetsDocument([{ id: 'configured', window: 'day', limit: { tokens: 1000 } }]),
      store,
      instance: { id: 'one' },
    });
    await settings.start();
    asked = [];
    const accounts: BudgetsRoutesOptions['accounts'] = async ({ isWanted, ...options }) => {
      asked.push(options);
      const all = [status('search', {}), status('each', { team: 'other' })];
      return all.filter(({ id, key }) => isWanted?.(id, key) ?? true);
    };
    app = await serveApp({ routes: budgetsRoutes({ settings, accounts, changesPerMinute: 500 }) });
  });

  afterEach(async () => {
    await app.close();
    await settings.close();
    assert.deepEqual(app.errors, []);
  });

  async function ask(
    method: string,
    path = '',
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return await fetch(`${app.origin}/api/settings/budgets${path}`, {
      method,
      headers: { ...asAdmin, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async function problem(answer: Response, code: number, name: string): Promise<any> {
    assert.equal(answer.status, code);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    const body = (await answer.json()) as { code: string };
    assert.equal(body.code, name);
    return body;
  }

  it('creates, reads, changes and removes one budget', async () => {
    const created = await ask('PUT', '/search', search);
    assert.equal(created.status, 201);
    assert.deepEqual(await created.json(), search);
    const etag = created.headers.get('etag') ?? '';
    assert.equal((await ask('PUT', '/search', search)).status, 200);
    const read = await ask('GET', '/search', undefined, { ...asViewer });
    assert.equal(read.headers.get('etag'), etag);
    assert.deepEqual(await read.json(), search);
    assert.equal((await ask('GET', '/search', undefined, { 'if-none-match': etag })).status, 304);
    const patched = await ask('PATCH', '/search', {
      limit: { usd: 50 },
      scope: null,
      mode: 'block',
    });
    assert.deepEqual(await patched.json(), { window: 'month', limit: { usd: 50 }, mode: 'block' });
    assert.deepEqual(settings.get()['search'], {
      window: 'month',
      limit: { usd: 50 },
      mode: 'block',
    });
    const removed = await ask('DELETE', '/search');
    assert.equal(removed.status, 204);
    await problem(await ask('GET', '/search'), 404, 'unknown_budget');
    await problem(await ask('PATCH', '/search', {}), 404, 'unknown_budget');
    await problem(await ask('DELETE', '/search'), 404, 'unknown_budget');
    assert.deepEqual(Object.keys(settings.get()), ['configured']);
  });

  it('lets a change of the unit replace the limit, and refuses two units', async () => {
    await ask('PUT', '/search', search);
    const both = await problem(
      await ask('PATCH', '/search', { limit: { calls: 5 } }),
      422,
      'invalid_request',
    );
    assert.deepEqual(both.errors[0].pointer, '/limit');
    const one = await ask('PATCH', '/search', { limit: { calls: 5, usd: null } });
    assert.deepEqual(((await one.json()) as BudgetJson).limit, { calls: 5 });
  });

  it('names what is wrong with a definition, and takes nothing of it', async () => {
    for (const [definition, pointer] of [
      [{}, '/window'],
      [{ ...daily, window: 'year' }, '/window'],
      [{ ...daily, limit: { usd: 1, calls: 2 } }, '/limit'],
      [{ ...daily, limit: { usd: -1 } }, '/limit/usd'],
      [{ ...daily, scope: { user: 5 } }, '/scope/user'],
      [{ ...daily, scope: { users: 'a' } }, '/scope/users'],
      [{ ...daily, mode: 'stop' }, '/mode'],
      [{ ...daily, window: { calendar: 'day', time_zone: 'Mars/Base' } }, '/window/time_zone'],
      [{ ...daily, id: 'x' }, '/id'],
    ] as const) {
      const { errors } = await problem(await ask('PUT', '/x', definition), 422, 'invalid_request');
      assert.equal(errors[0].pointer, pointer, JSON.stringify(definition));
      const { errors: inPatch } = await problem(
        await ask('PATCH', '', { ok: daily, x: definition }),
        422,
        'invalid_request',
      );
      assert.equal(inPatch[0].pointer, `/x${pointer}`);
    }
    const reserved = ['audit', 'events', 'instances', 'passing'];
    for (const id of ['-x', 'a%20b', '__proto__', 'x'.repeat(129), ...reserved]) {
      assert.equal((await ask('PUT', `/${id}`, daily)).status, 422, id);
    }
    for (const id of ['constructor', 'toString']) {
      assert.equal((await ask('PUT', `/${id}`, daily)).status, 422, id);
      assert.equal((await ask('GET', `/${id}`)).status, 404, id);
    }
    assert.equal(settings.version, 0);
  });

  it('compares If-Match with that budget alone', async () => {
    await ask('PUT', '/search', search);
    const etag = (await ask('GET', '/search')).headers.get('etag') ?? '';
    await ask('PUT', '/other', daily);
    const mine = await ask('PATCH', '/search', { mode: 'block' }, { 'if-match': etag });
    assert.equal(mine.status, 200, 'another budget changed meanwhile');
    const late = await problem(
      await ask('PATCH', '/search', { mode: 'warn' }, { 'if-match': etag }),
      412,
      'version_mismatch',
    );
    assert.deepEqual(late.current, { ...search, mode: 'block' });
    await problem(
      await ask('DELETE', '/search', undefined, { 'if-match': etag }),
      412,
      'version_mismatch',
    );
    await problem(await ask('PUT', '/new', daily, { 'if-match': '*' }), 412, 'version_mismatch');
    await problem(
      await ask('PUT', '/search', daily, { 'if-none-match': '*' }),
      412,
      'version_mismatch',
    );
    assert.equal((await ask('PUT', '/new', daily, { 'if-none-match': '*' })).status, 201);
  });

  it('loses none of many changes at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        ask('PUT', `/b${i % 10}`, { ...daily, at: [0.01 * (i + 1)] }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status: code }) => code)), new Set([200, 201]));
    assert.equal(Object.keys(settings.get()).length, 11);
    assert.equal(settings.version, 30);
  });

  it('lets the store win over the configuration, and goes back to it by DELETE', async () => {
    await problem(await ask('DELETE', '/configured'), 409, 'configured');
    assert.equal((await ask('PATCH', '/configured', { limit: { tokens: 5 } })).status, 200);
    assert.deepEqual(settings.get()['configured']?.limit, { tokens: 5 });
    const back = await ask('DELETE', '/configured');
    assert.equal(back.status, 200);
    assert.deepEqual(await back.json(), { window: 'day', limit: { tokens: 1000 } });
    await problem(await ask('DELETE', '/configured'), 409, 'configured');
  });

  it('changes and replaces all of them in one step', async () => {
    const first = await ask('PATCH', '', { a: daily, b: search });
    assert.deepEqual(keysOf(await first.json()).toSorted(), ['a', 'b', 'configured']);
    const etag = first.headers.get('etag') ?? '';
    const replaced = await ask('PUT', '', { b: daily, c: search }, { 'if-match': etag });
    assert.deepEqual(keysOf(await replaced.json()).toSorted(), ['b', 'c', 'configured']);
    assert.equal(settings.version, 2);
    const late = await ask('PUT', '', {}, { 'if-match': etag });
    assert.deepEqual((await problem(late, 412, 'version_mismatch')).current.b, daily);
    await ask('PATCH', '', { b: null, c: null });
    assert.deepEqual(Object.keys(settings.get()), ['configured']);
  });

  it('bounds their number', async () => {
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`b${i}`, daily]));
    await problem(await ask('PATCH', '', many), 422, 'invalid_request');
    delete many['b0'];
    delete many['b1'];
    assert.equal((await ask('PATCH', '', many)).status, 200);
    await problem(await ask('PUT', '/more', daily), 422, 'invalid_request');
    assert.equal((await ask('PUT', '/b7', search)).status, 200);
  });

  it('audits who changed what, with the way back', async () => {
    await ask('PUT', '/search?reason=launch', search);
    await ask('PATCH', '/search', { mode: 'block' });
    const { entries } = (await (await ask('GET', '/audit')).json()) as { entries: any[] };
    assert.deepEqual(
      entries.map(({ actor, reason, from, to, undo }) => ({ actor, reason, from, to, undo })),
      [
        {
          actor: 'ada',
          reason: undefined,
          from: { search },
          to: { search: { ...search, mode: 'block' } },
          undo: { search },
        },
        {
          actor: 'ada',
          reason: 'launch',
          from: { search: null },
          to: { search },
          undo: { search: null },
        },
      ],
    );
    const undone = await ask('PATCH', '', entries[1].undo);
    assert.deepEqual(keysOf(await undone.json()), ['configured']);
  });

  it('lets viewers read and nobody else change', async () => {
    for (const [method, path, body] of [
      ['PUT', '', {}],
      ['PATCH', '', {}],
      ['PUT', '/x', daily],
      ['PATCH', '/configured', {}],
      ['DELETE', '/configured', undefined],
    ] as const) {
      assert.equal((await ask(method, path, body, { ...asViewer })).status, 403, method);
    }
    for (const path of ['', '/configured', '/audit', '/instances']) {
      assert.equal((await ask('GET', path, undefined, { ...asViewer })).status, 200, path);
    }
    assert.equal((await fetch(`${app.origin}/api/budgets/status`)).status, 401);
  });

  it('streams changes; every connection begins with what is', async () => {
    await ask('PUT', '/search', search);
    const events = await receiveEvents(`${app.origin}/api/settings/budgets/events`, {
      ...asViewer,
      'last-event-id': '1',
    });
    const first = await events.next(({ event }) => event === 'budgets');
    assert.equal(first.id, undefined);
    assert.deepEqual(Object.keys(first.data['settings'] as object), ['configured', 'search']);
    await ask('DELETE', '/search');
    await events.next(({ data }) => data['version'] === 2);
    events.close();
  });

  it('shows what is spent', async () => {
    const answer = await fetch(`${app.origin}/api/budgets/status?budget=search&limit=1`, {
      headers: asViewer,
    });
    const { accounts } = (await answer.json()) as { accounts: any[] };
    assert.deepEqual(asked, [{ id: 'search', limit: 1 }]);
    assert.equal(accounts.length, 1);
    const { id, resetsAt, ...rest } = status('search', {});
    assert.deepEqual(accounts[0], { budget: id, ...rest, resets_at: resetsAt });
  });
});
