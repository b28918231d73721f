import assert from 'node:assert/strict';
import { z } from 'zod';
import { Access } from '../../../example-app/middleware/access.ts';
import { identityOf } from '../../../example-app/middleware/authentication.ts';
import { RateLimit } from '../../../example-app/middleware/rate-limit.ts';
import { apiRoute } from '../../../example-app/routes/api-route.ts';
import { type ServedApp, serveApp } from '../../support/app.ts';

describe('protection of the routes', () => {
  let app: ServedApp;
  let origin: string;
  let errors: readonly unknown[];

  async function serve(access: Access): Promise<void> {
    const answers = {};
    const limit = new RateLimit({ perMinute: 2 });
    app = await serveApp({
      access,
      routes: [
        apiRoute({
          method: 'get',
          path: '/api/seen',
          summary: 'Who asks',
          role: 'viewer',
          answers,
          handle(ctx) {
            ctx.body = { who: identityOf(ctx)?.name };
          },
        }),
        apiRoute({
          method: 'post',
          path: '/api/change',
          summary: 'What came',
          role: 'admin',
          body: { schema: z.unknown(), limitBytes: 4096 },
          answers,
          handle(ctx, { body }) {
            ctx.body = { got: body };
          },
        }),
        apiRoute({
          method: 'get',
          path: '/api/broken',
          summary: 'Fails',
          role: 'anyone',
          answers,
          handle() {
            throw new Error('password=hunter2');
          },
        }),
        apiRoute({
          method: 'get',
          path: '/api/limited',
          summary: 'Twice a minute',
          role: 'anyone',
          limit,
          answers,
          handle(ctx) {
            ctx.body = 'ok';
          },
        }),
      ],
    });
    ({ origin, errors } = app);
  }

  const raw = async (request: string): Promise<string> => await app.raw(request);

  const asAdmin = { authorization: 'Bearer secret-admin' };
  const asViewer = { authorization: 'Bearer secret-viewer' };
  const json = { 'content-type': 'application/json' };

  async function signIn(token: string): Promise<string> {
    const answer = await fetch(`${origin}/api/session`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ token }),
    });
    assert.equal(answer.status, 200);
    return answer.headers.getSetCookie()[0]!.split(';')[0]!;
  }

  async function assertProblem(answer: Response, status: number, code?: string): Promise<void> {
    assert.equal(answer.status, status);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    const body = (await answer.json()) as Record<string, unknown>;
    assert.equal(body['status'], status);
    assert.equal(typeof body['title'], 'string');
    if (code !== undefined) assert.equal(body['code'], code);
  }

  beforeEach(async () => {
    await serve(new Access({ adminTokens: 'ada:secret-admin', viewerTokens: 'secret-viewer' }));
  });

  afterEach(async () => {
    await app.close();
  });

  it('sends strict headers with every answer, errors included', async () => {
    for (const path of ['/api/session', '/api/nothing', '/api/broken']) {
      const { headers } = await fetch(origin + path);
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe|http:|https:|\*/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('access-control-allow-origin'), null);
      assert.equal(headers.get('x-powered-by'), null);
    }
  });

  it('answers 401 to nobody and to a wrong token, 403 to a viewer who changes', async () => {
    await assertProblem(await fetch(`${origin}/api/seen`), 401, 'unauthorized');
    const wrong = await fetch(`${origin}/api/seen`, { headers: { authorization: 'Bearer no' } });
    assert.match(wrong.headers.get('www-authenticate') ?? '', /^Bearer realm=.*invalid_token/);
    await assertProblem(wrong, 401, 'invalid_token');
    const basic = { authorization: 'Basic c2VjcmV0LWFkbWluOg==' };
    await assertProblem(await fetch(`${origin}/api/seen`, { headers: basic }), 401);
    assert.equal((await fetch(`${origin}/api/seen`, { headers: asViewer })).status, 200);
    const init = { method: 'POST', headers: { ...asViewer, ...json }, body: '{}' };
    await assertProblem(await fetch(`${origin}/api/change`, init), 403, 'forbidden');
    const admin = { ...init, headers: { ...asAdmin, ...json } };
    assert.equal((await fetch(`${origin}/api/change`, admin)).status, 200);
  });

  it('takes no token from the address', async () => {
    const answer = await fetch(`${origin}/api/seen?token=secret-admin&access_token=secret-admin`);
    await assertProblem(answer, 401);
  });

  it('signs in by token, with a cookie no script and no other site can use', async () => {
    const answer = await fetch(`${origin}/api/session`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ token: 'secret-admin' }),
    });
    const cookie = answer.headers.getSetCookie()[0] ?? '';
    assert.match(cookie, /; httponly/i);
    assert.match(cookie, /; samesite=strict/i);
    assert.match(cookie, /; path=\//i);
    assert.doesNotMatch(await answer.text(), /secret-admin/);
    assert.doesNotMatch(Buffer.from(cookie, 'base64url').toString('latin1'), /secret-admin/);
    const headers = { cookie: cookie.split(';')[0]! };
    const seen = await fetch(`${origin}/api/seen`, { headers });
    assert.deepEqual(await seen.json(), { who: 'ada' });
    const who = await fetch(`${origin}/api/session`, { headers });
    assert.deepEqual(await who.json(), { name: 'ada', role: 'admin' });
    const out = await fetch(`${origin}/api/session`, { method: 'DELETE' });
    assert.equal(out.status, 204);
    assert.match(out.headers.getSetCookie()[0] ?? '', /expires=Thu, 01 Jan 1970/i);
  });

  it('refuses to sign in with a wrong token or body', async () => {
    for (const [body, status] of [
      ['{"token":"no"}', 401],
      ['{"token":7}', 422],
      ['null', 422],
      ['[', 400],
    ] as const) {
      const init = { method: 'POST', headers: json, body };
      await assertProblem(await fetch(`${origin}/api/session`, init), status);
    }
  });

  it('slows down guessing, while the right token and sessions stay usable', async () => {
    const cookie = await signIn('secret-viewer');
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const headers = { authorization: `Bearer guess-${i}` };
      statuses.push((await fetch(`${origin}/api/seen`, { headers })).status);
    }
    assert.deepEqual(statuses, [...Array<number>(10).fill(401), 429, 429]);
    const headers = { authorization: 'Bearer guess-12' };
    const wrong = await fetch(`${origin}/api/seen`, { headers });
    assert.ok(Number(wrong.headers.get('retry-after')) >= 1);
    await assertProblem(wrong, 429, 'rate_limited');
    assert.equal((await fetch(`${origin}/api/seen`, { headers: asAdmin })).status, 200);
    const body = JSON.stringify({ token: 'secret-admin' });
    const session = await fetch(`${origin}/api/session`, { method: 'POST', headers: json, body });
    assert.equal(session.status, 200);
    assert.equal((await fetch(`${origin}/api/seen`, { headers: { cookie } })).status, 200);
  });

  it('refuses what other sites make a browser send', async () => {
    const cookie = await signIn('secret-admin');
    const change = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${origin}/api/change`, {
        method: 'POST',
        headers: { cookie, ...json, ...headers },
        body: '{}',
      });
    await assertProblem(await change({ 'sec-fetch-site': 'cross-site' }), 403, 'cross_site');
    await assertProblem(await change({ 'sec-fetch-site': 'same-site' }), 403, 'cross_site');
    await assertProblem(await change({ origin: 'https://evil.test' }), 403, 'cross_site');
    await assertProblem(await change({ origin: 'null' }), 403, 'cross_site');
    await assertProblem(await change({ origin: `${origin}0` }), 403, 'cross_site');
    await assertProblem(await change({}), 403, 'cross_site');
    assert.equal((await change({ 'sec-fetch-site': 'same-origin' })).status, 200);
    assert.equal((await change({ origin })).status, 200);
    const reading = { headers: { cookie, 'sec-fetch-site': 'cross-site' } };
    await assertProblem(await fetch(`${origin}/api/seen`, reading), 403, 'cross_site');
    const form = await change({
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    });
    await assertProblem(form, 415);
  });

  it('answers no preflight of another site', async () => {
    const answer = await fetch(`${origin}/api/change`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
    });
    const allowed = [...answer.headers.keys()].filter((name) => name.startsWith('access-control'));
    assert.deepEqual(allowed, []);
  });

  it('bounds bodies, whatever their length header or encoding says', async () => {
    const init = (body: string | Uint8Array<ArrayBuffer>, headers = {}): RequestInit => ({
      method: 'POST',
      headers: { ...asAdmin, ...json, ...headers },
      body,
    });
    const url = `${origin}/api/change`;
    const big = JSON.stringify({ a: 'x'.repeat(5000) });
    await assertProblem(await fetch(url, init(big)), 413);
    const { gzipSync } = await import('node:zlib');
    const bomb = new Uint8Array(gzipSync(JSON.stringify({ a: 'x'.repeat(5_000_000) })));
    await assertProblem(await fetch(url, init(bomb, { 'content-encoding': 'gzip' })), 413);
    const head =
      'POST /api/change HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secret-admin\r\n' +
      'Content-Type: application/json\r\nConnection: close\r\n';
    const chunk = `1000\r\n${'['.repeat(4096)}\r\n`;
    const chunked = await raw(
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(4)}0\r\n\r\n`,
    );
    assert.match(chunked, /^HTTP\/1.1 413 /);
    const both = `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{}`;
    assert.match(await raw(both), /^HTTP\/1.1 400 /);
    const deep = '['.repeat(2000) + ']'.repeat(2000);
    assert.equal((await fetch(url, init(deep))).status, 200);
    assert.deepEqual(errors, []);
  });

  it('repeats no part of a body that is not JSON', async () => {
    const answer = await fetch(`${origin}/api/change`, {
      method: 'POST',
      headers: { ...asAdmin, ...json },
      body: '{"prompt": canary-7711}',
    });
    const text = await answer.clone().text();
    await assertProblem(answer, 400);
    assert.doesNotMatch(text, /canary|prompt/);
  });

  it('never sends what an error inside says', async () => {
    const answer = await fetch(`${origin}/api/broken`);
    const text = await answer.clone().text();
    await assertProblem(answer, 500);
    assert.doesNotMatch(text, /hunter2|at |\.ts/);
    assert.equal((errors[0] as Error).message, 'password=hunter2');
  });

  it('answers unknown paths and methods as problems', async () => {
    await assertProblem(await fetch(`${origin}/api/nothing`), 404);
    const answer = await fetch(`${origin}/api/seen`, { method: 'PUT', headers: asAdmin });
    assert.match(answer.headers.get('allow') ?? '', /GET/);
    await assertProblem(answer, 405);
    const strange = await raw('BREW /api/seen HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(strange, /^HTTP\/1.1 400 /);
  });

  it('survives header tricks over a raw socket', async () => {
    const line = 'GET /api/seen HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n';
    const two = 'Authorization: Bearer no\r\nAuthorization: Bearer secret-admin\r\n';
    assert.match(await raw(`${line}${two}\r\n`), /^HTTP\/1.1 401 /);
    assert.match(await raw(`${line}X: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431 /);
    assert.match(await raw(`${line}X-A: b\nX-B\0: c\r\n\r\n`), /^HTTP\/1.1 400 /);
    const cookie = 'Cookie: token_meter_session=%00%ff..;;=;__proto__=1\r\n';
    assert.match(await raw(`${line}${cookie}\r\n`), /^HTTP\/1.1 401 /);
    assert.match(
      await raw(`GET http://evil.test/api/seen HTTP/1.1\r\nHost: a\r\n\r\n`),
      / 40[01] /,
    );
  });

  it('limits requests by key and says when to come back', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${origin}/api/limited`)).status);
    assert.deepEqual(statuses, [200, 200, 429]);
  });

  it('answers under loopback names only while no token is configured', async () => {
    await app.close();
    await serve(new Access());
    const request = (host: string): string =>
      `GET /api/session HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    assert.match(await raw(request('evil.test:3000')), /^HTTP\/1.1 421 /);
    assert.match(await raw(request('127.0.0.1:3000')), /^HTTP\/1.1 200 /);
    assert.match(await raw(request('localhost')), /^HTTP\/1.1 200 /);
    assert.match(await raw(request('[::1]:3000')), /^HTTP\/1.1 200 /);
  });
});

describe('RateLimit', () => {
  it('refills with time and forgets the longest unused key first', () => {
    let now = 0;
    const limit = new RateLimit({ perMinute: 2, now: () => now });
    assert.deepEqual([limit.take('a'), limit.take('a'), limit.take('a')], [0, 0, 30]);
    now = 30_000;
    assert.equal(limit.take('a'), 0);
    assert.equal(limit.take('a'), 30);
    for (let i = 0; i < 10_000; i++) limit.take(`key-${i}`);
    assert.equal(limit.take('a'), 0);
  });
});
