import assert from 'node:assert/strict';
import { z } from 'zod';
import { Access } from '../../example-app/middleware/access.ts';
import { pages } from '../../example-app/pages.ts';
import { apiRoute } from '../../example-app/routes/api-route.ts';
import { type ServedApp, asAdmin, asViewer, serveApp } from '../support/app.ts';

describe('createApp', () => {
  let app: ServedApp;

  afterEach(async () => {
    await app.close();
  });

  it('serves each page in the language of the browser, complete', async () => {
    app = await serveApp();
    for (const { path } of pages) {
      for (const [wanted, language] of [
        ['', 'en'],
        ['fr', 'en'],
        ['zh', 'zh-CN'],
        ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN'],
        ['en-GB,en;q=0.9,zh-CN;q=0.8', 'en'],
      ] as const) {
        const answer = await fetch(app.origin + path, { headers: { 'accept-language': wanted } });
        assert.equal(answer.status, 200);
        assert.match(answer.headers.get('vary') ?? '', /accept-language/i);
        const html = await answer.text();
        assert.ok(html.includes(`<html lang="${language}">`), `${path} ${wanted}`);
        assert.doesNotMatch(html, /\{\{/);
        assert.doesNotMatch(html, /<script(?![^>]* src=)|<style| style=| on[a-z]+=/);
        const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)];
        assert.equal(assets.length, 2);
        for (const [, asset = ''] of assets) {
          assert.equal((await fetch(app.origin + asset)).status, 200, asset);
        }
      }
    }
  });

  it('answers 304 to who has the file, and never by anything but the exact path', async () => {
    app = await serveApp();
    const html = await (await fetch(app.origin)).text();
    const [style = ''] = /\/assets\/[^"]+\.css/.exec(html) ?? [];
    const first = await fetch(app.origin + style);
    const etag = first.headers.get('etag') ?? '';
    const again = { headers: { 'if-none-match': etag } };
    assert.equal((await fetch(app.origin + style, again)).status, 304);
    for (const path of [
      '/assets/../app.ts',
      '/assets/%2e%2e/app.ts',
      '/assets/..%2fapp.ts',
      style.replace('/assets/', '/assets//'),
      `${style}%00`,
      '/assets/tsconfig.json',
      '/assets/main.tsx',
      '/assets/__proto__',
      '/assets/',
      '/constructor',
    ]) {
      const request = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      assert.match(await app.raw(request), /^HTTP\/1.1 40[04] /, path);
    }
  });

  it('checks requests by the schemas that describe the route', async () => {
    const route = apiRoute({
      method: 'post',
      path: '/api/things/{id}',
      summary: 'Change a thing',
      role: 'admin',
      params: z.strictObject({ id: z.coerce.number().int() }),
      query: z.strictObject({ size: z.enum(['s', 'm']).default('m').describe('How large') }),
      body: { schema: z.strictObject({ name: z.string().max(5) }), limitBytes: 100 },
      answers: { 200: { description: 'What was taken', schema: z.looseObject({}) } },
      handle(ctx, { params, query, body }) {
        ctx.body = { id: params.id + 1, size: query.size, name: body.name };
      },
    });
    app = await serveApp({ routes: [route] });
    const post = async (path: string, body: string): Promise<[number, Record<string, unknown>]> => {
      const answer = await fetch(app.origin + path, {
        method: 'POST',
        headers: { ...asAdmin, 'content-type': 'application/json' },
        body,
      });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    assert.deepEqual(await post('/api/things/7', '{"name":"a"}'), [
      200,
      { id: 8, size: 'm', name: 'a' },
    ]);
    const wrong = async (path: string, body: string): Promise<unknown> => {
      const [status, problem] = await post(path, body);
      assert.equal(status, 422);
      return problem['errors'];
    };
    assert.deepEqual(await wrong('/api/things/7', '{"name":"a","__proto__":{"x":1}}'), [
      {
        pointer: '/__proto__',
        code: 'unknown_key',
        detail: '"__proto__" is not known; allowed: name',
      },
    ]);
    assert.match(
      JSON.stringify(await wrong('/api/things/7', '{"name":7}')),
      /"\/name".*wrong_type/,
    );
    assert.match(JSON.stringify(await wrong('/api/things/x', '{"name":"a"}')), /"parameter":"id"/);
    assert.match(
      JSON.stringify(await wrong('/api/things/7?size=m&sise=s', '{"name":"a"}')),
      /sise.*allowed: size/,
    );
    const spec = (await (await fetch(`${app.origin}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    assert.equal(spec.openapi, '3.1.0');
    const operation = spec.paths['/api/things/{id}']?.['post'];
    assert.deepEqual(operation?.['parameters'], [
      { name: 'id', in: 'path', required: true, schema: { type: 'integer', ...LIMITS } },
      {
        name: 'size',
        in: 'query',
        description: 'How large',
        schema: { type: 'string', enum: ['s', 'm'], default: 'm', description: 'How large' },
      },
    ]);
    assert.match(JSON.stringify(operation?.['requestBody']), /"maxLength":5/);
    assert.ok(spec.paths['/openapi.json'] && spec.paths['/readyz'] && spec.paths['/api/session']);
    const asOther = { method: 'POST', headers: { ...asViewer } };
    assert.equal((await fetch(`${app.origin}/api/things/7`, asOther)).status, 403);
  });

  it('tells probes the state of its parts and that it is stopping', async () => {
    const stopping = new AbortController();
    let exporter = true;
    app = await serveApp({
      stopping: stopping.signal,
      checks: {
        exporter: () => ({ ready: exporter, state: exporter ? 'ok' : 'failing' }),
        settings: () => ({ ready: true, state: 'stale' }),
      },
    });
    const ready = async (): Promise<unknown[]> => {
      const answer = await fetch(`${app.origin}/readyz`);
      return [answer.status, await answer.json()];
    };
    const settings = { ready: true, state: 'stale' };
    const checks = { exporter: { ready: true, state: 'ok' }, settings };
    assert.deepEqual(await ready(), [200, { status: 'ready', checks }]);
    exporter = false;
    assert.equal((await ready())[0], 503);
    exporter = true;
    stopping.abort();
    assert.deepEqual(await ready(), [503, { status: 'stopping', checks }]);
    assert.equal((await fetch(`${app.origin}/healthz`)).status, 200);
  });

  it('believes X-Forwarded-For only as far as there are proxies', async () => {
    const guess = async (forwarded: string): Promise<number> => {
      const headers = { authorization: 'Bearer guess', 'x-forwarded-for': forwarded };
      return (await fetch(`${app.origin}/api/session`, { headers })).status;
    };
    app = await serveApp();
    for (let i = 0; i < 10; i++) assert.equal(await guess(`10.0.0.${i}`), 401);
    assert.equal(await guess('10.0.1.1'), 429, 'without proxies a header must not help');
    await app.close();
    app = await serveApp({ proxies: 1 });
    for (let i = 0; i < 10; i++) assert.equal(await guess(`10.9.9.${i}, 10.0.0.1`), 401);
    assert.equal(await guess('10.9.9.99, 10.0.0.1'), 429, 'only the proxy’s own entry counts');
    assert.equal(await guess('10.0.0.2'), 401);
  });

  it('answers under loopback names only while no token is configured', async () => {
    app = await serveApp({ access: new Access() });
    const request = 'GET /settings HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n';
    assert.match(await app.raw(request), /^HTTP\/1.1 421 /);
  });
});

/** What zod adds to every integer. */
const LIMITS = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
