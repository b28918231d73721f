import assert from 'node:assert/strict';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { pages } from '../../example-app/pages.ts';
import { apiRoute } from '../../example-app/routes/api-route.ts';
import { TokenMeterError } from '../../src/settings/index.ts';
import { ADMIN_TOKEN, asAdmin, asViewer, serveApp } from '../support/app.ts';
import { receiveEvents } from '../support/event-source.ts';
import { describedOperations } from '../support/fuzz-routes.ts';
import { until } from '../support/until.ts';
import { type WholeApp, serveWholeApp } from '../support/whole-app.ts';

// Attacks on the application as it is served. What each middleware does alone is in middleware/.
describe('the application under attack', () => {
  let app: WholeApp;
  let session: string;

  before(async () => {
    app = await serveWholeApp();
    session = await signIn(ADMIN_TOKEN);
  });

  after(async () => {
    await app.close();
  });

  async function signIn(token: string, headers: Record<string, string> = {}): Promise<string> {
    const answer = await fetch(`${app.origin}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ token }),
    });
    return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }

  const PATCH_HEAD = 'PATCH /api/settings/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n';
  const CLOSE = 'Connection: close\r\n';

  /** A PATCH that would switch metering off, with these header lines. */
  async function rawPatch(lines: string, body = '{"enabled":false}'): Promise<string> {
    const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    return await app.raw(`${PATCH_HEAD}${CLOSE}${lines}${length}\r\n${body}`);
  }

  afterEach(() => {
    assert.equal(app.settings.get().enabled, true, 'no attack may get through');
    assert.deepEqual(app.errors.map(String), []);
  });

  it('guards every operation by the role that it says', async () => {
    const operations = await describedOperations(app.origin);
    for (const { method, path, operation } of operations) {
      const url = app.origin + path.replaceAll(/\{\w+\}/g, 'x');
      const ask = async (headers: Record<string, string>): Promise<number> => {
        const answer = await fetch(url, { method: method.toUpperCase(), headers });
        await answer.body?.cancel();
        return answer.status;
      };
      const role = operation['x-role'];
      const nobody = await ask({});
      if (role !== undefined) assert.equal(nobody, 401, path);
      else assert.ok(!/settings|usage/.test(path), `${path} is open to anyone`);
      if (role === 'admin') assert.equal(await ask(asViewer), 403, path);
      assert.notEqual(await ask(asAdmin), 403, path);
    }
    const guarded = operations.filter(({ operation }) => operation['x-role'] !== undefined);
    assert.ok(guarded.length >= 9);
  });

  it('refuses a PATCH by every way a foreign page has to send one', async () => {
    const cookie = `Cookie: ${session}\r\n`;
    const json = 'Content-Type: application/json\r\n';
    for (const lines of [
      // A form with enctype text/plain, whose body happens to be JSON.
      `${cookie}Sec-Fetch-Site: cross-site\r\nContent-Type: text/plain\r\n`,
      `${cookie}Sec-Fetch-Site: cross-site\r\n${json}`,
      // Another port of this host is the same site: SameSite cookies do come along.
      `${cookie}Sec-Fetch-Site: same-site\r\n${json}`,
      `${cookie}Origin: http://127.0.0.1:1\r\n${json}`,
      `${cookie}Origin: null\r\n${json}`,
      // An old browser that says nothing.
      `${cookie}${json}`,
      `${cookie}Sec-Fetch-Site: \r\n${json}`,
      `${cookie}Sec-Fetch-Site: same-origin, cross-site\r\n${json}`,
      `${cookie}Sec-Fetch-Site: SAME-ORIGIN\r\n${json}`,
    ]) {
      assert.match(await rawPatch(lines), /^HTTP\/1\.1 (403|415) /, lines);
    }
    const post =
      `POST /api/settings/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n${CLOSE}${cookie}` +
      'Sec-Fetch-Site: same-origin\r\nX-HTTP-Method-Override: PATCH\r\nContent-Length: 0\r\n\r\n';
    assert.match(await app.raw(post), /^HTTP\/1\.1 405 /);
  });

  it('believes no session that it did not sign', async () => {
    const [payload = '', signature = ''] = session.replace('token_meter_session=', '').split('.');
    const forged = Buffer.from(
      JSON.stringify({ name: 'eve', role: 'admin', expiresAt: 9e15, nonce: 'x' }),
    ).toString('base64url');
    const same = 'Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n';
    for (const value of [
      `${forged}.${signature}`,
      `${payload}.${signature.slice(0, -1)}`,
      `${payload}.${signature}A`,
      `${payload}..${signature}`,
      `${payload}.`,
      `.${signature}`,
      `"${payload}.${signature}`,
      `x; token_meter_session=${forged}.${signature}`,
      '',
    ]) {
      const answer = await rawPatch(`${same}Cookie: token_meter_session=${value}\r\n`);
      assert.match(answer, /^HTTP\/1\.1 401 /, value);
    }
  });

  it('reads one token only, and from one place only', async () => {
    const json = 'Content-Type: application/json\r\n';
    for (const lines of [
      `Authorization: ${ADMIN_TOKEN}\r\n`,
      `Authorization: Basic ${Buffer.from(`admin:${ADMIN_TOKEN}`).toString('base64')}\r\n`,
      `Authorization: Bearer ${ADMIN_TOKEN} x\r\n`,
      `Authorization: Bearer x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n`,
      `Proxy-Authorization: Bearer ${ADMIN_TOKEN}\r\n`,
      `X-Api-Key: ${ADMIN_TOKEN}\r\n`,
      // A wrong header is not made good by a right cookie.
      `Authorization: Bearer x\r\nCookie: ${session}\r\nSec-Fetch-Site: same-origin\r\n`,
    ]) {
      assert.match(await rawPatch(json + lines), /^HTTP\/1\.1 401 /, lines);
    }
  });

  it('takes no second request hidden in the body of a first', async () => {
    const auth = `Authorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/json\r\n`;
    const hidden = `${PATCH_HEAD}${auth}Content-Length: 17\r\n\r\n{"enabled":false}`;
    for (const lines of [
      `Content-Length: 2\r\nTransfer-Encoding: chunked\r\n`,
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`,
      `Transfer-Encoding : chunked\r\n`,
      `Content-Length: 2\r\nContent-Length: 3\r\n`,
      `Content-Length: +2\r\n`,
    ]) {
      const answer = await app.raw(`${PATCH_HEAD}${auth}${lines}\r\n0\r\n\r\n${hidden}`);
      assert.match(answer, /^HTTP\/1\.1 400 /, lines);
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, 'one answer, then the end');
    }
  });

  it('reads no more than 4 KiB, whatever the sender claims', async () => {
    const auth = `Authorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/json\r\n`;
    // Refused by its header, before any of it has come.
    const claim = `${PATCH_HEAD}${CLOSE}${auth}Content-Length: 4097\r\n\r\n`;
    assert.match(await app.raw(claim, 3000), /^HTTP\/1\.1 413 /);
    const chunk = `400\r\n${' '.repeat(1024)}\r\n`;
    const endless = `${PATCH_HEAD}${CLOSE}${auth}Transfer-Encoding: chunked\r\n\r\n`;
    assert.match(await app.raw(endless + chunk.repeat(5), 3000), /^HTTP\/1\.1 413 /);
    const most = `{"enabled":true}${' '.repeat(4080)}`;
    assert.match(await rawPatch(auth, most), /^HTTP\/1\.1 200 /);
  });

  it('has time limits against senders that trickle', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout, maxHeadersCount } = app.server;
    assert.ok(headersTimeout > 0 && headersTimeout <= 10_000);
    assert.ok(requestTimeout > 0 && requestTimeout <= 30_000);
    assert.ok(keepAliveTimeout <= 5000);
    assert.ok(maxHeadersCount! <= 100);
  });

  it('lets no look-alike of a path by the guards', async () => {
    for (const path of [
      '/api/settings/metrics/',
      '/API/settings/metrics',
      '/api//settings/metrics',
      '//api/settings/metrics',
      '/api/./settings/metrics',
      '/api/x/../settings/metrics',
      '/api/settings/metrics%2f',
      '/api/settings/metrics%00',
      '/api/settings/metrics;x',
      '/api/settings%2fmetrics',
      '/assets/..%2f..%2fpackage.json',
      '/assets/%2e%2e/app.ts',
      '\\api\\settings\\metrics',
    ]) {
      const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${CLOSE}\r\n`;
      const answer = await app.raw(request);
      assert.match(answer, /^HTTP\/1\.1 40[0-4] /, path);
      assert.doesNotMatch(answer, /token_statistics|createApp/, path);
    }
  });

  it('forges no header and no line of the log by what a request holds', async () => {
    const url = `${app.origin}/api/settings/metrics`;
    const reason = encodeURIComponent('x\r\nSet-Cookie: a=b\u2028\u001b[2J');
    const answer = await fetch(`${url}?reason=${reason}`, {
      method: 'PATCH',
      headers: { ...asAdmin, 'content-type': 'application/json' },
      body: '{"enabled":false}',
    });
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.headers.getSetCookie(), []);
  });

  it('puts no other site into a page, and no page into another site', async () => {
    for (const { path } of pages) {
      const { headers } = await fetch(`${app.origin}${path}?x=<script>alert(1)</script>`);
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
        assert.ok(policy.includes(rule), `${path} ${rule}`);
      }
      assert.doesNotMatch(policy, /unsafe|nonce|data:.*script|https?:|\*/);
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    }
  });

  it('reads nothing out to another origin', async () => {
    for (const path of ['/api/settings/metrics', '/api/settings/metrics/events', '/api/session']) {
      for (const site of ['cross-site', 'same-site']) {
        const headers = { cookie: session, 'sec-fetch-site': site };
        const answer = await fetch(app.origin + path, { headers });
        assert.equal(answer.status, 403, `${path} ${site}`);
        assert.equal(answer.headers.get('access-control-allow-origin'), null);
      }
    }
  });

  it('marks the cookie secure and asks for TLS where a proxy speaks TLS', async () => {
    const there = await serveWholeApp({ proxies: 1 });
    const answer = await fetch(`${there.origin}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-proto': 'https' },
      body: JSON.stringify({ token: ADMIN_TOKEN }),
    });
    assert.match(answer.headers.getSetCookie()[0] ?? '', /; secure/i);
    assert.match(answer.headers.get('strict-transport-security') ?? '', /max-age=\d{7,}/);
    await there.close();
    assert.equal(
      (await fetch(app.origin, { headers: { 'x-forwarded-proto': 'https' } })).headers.get(
        'strict-transport-security',
      ),
      null,
    );
  });

  it('limits streams and changes, and serves the others meanwhile', async () => {
    const url = `${app.origin}/api/settings/metrics/events`;
    const streams = await Promise.all(
      Array.from({ length: 12 }, async () => await receiveEvents(url, asViewer)),
    );
    const statuses = streams.map(({ answer }) => answer.status);
    assert.equal(statuses.filter((status) => status === 200).length, 8, 'one viewer gets no more');
    assert.equal(statuses.filter((status) => status === 429).length, 4);
    const another = await receiveEvents(url, asAdmin);
    assert.equal(another.answer.status, 200, 'somebody else is still served');
    streams.push(another);
    const change = async (): Promise<number> =>
      (
        await fetch(`${app.origin}/api/settings/metrics`, {
          method: 'PATCH',
          headers: { ...asAdmin, 'content-type': 'application/json' },
          body: '{}',
        })
      ).status;
    const changes = await Promise.all(Array.from({ length: 70 }, change));
    assert.ok(changes.includes(200) && changes.includes(429));
    const reading = await fetch(`${app.origin}/api/settings/metrics`, { headers: asAdmin });
    assert.equal(reading.status, 200);
    for (const stream of streams) stream.close();
    await until(async () => {
      const stream = await receiveEvents(url, asViewer);
      stream.close();
      return stream.answer.status === 200;
    });
  });

  it('tells no secret: not in answers, pages, the description, the log or errors', async () => {
    const lines: unknown[] = [];
    const log = (...parts: unknown[]): void => void lines.push(...parts);
    const { error: print } = console;
    console.error = log;
    const logger = { verbose: log, debug: log, info: log, warn: log, error: log };
    diag.setLogger(logger, { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true });
    lines.length = 0;
    const broken = apiRoute({
      method: 'get',
      path: '/api/broken',
      summary: 'Fails',
      role: 'admin',
      answers: {},
      handle() {
        throw new TokenMeterError('STORE_UNAVAILABLE', 'redis://user:canary-password@host failed');
      },
    });
    const there = await serveApp({ routes: [broken], onError: log });
    try {
      const told: string[] = [];
      const paths = [...pages.map(({ path }) => path), '/openapi.json', '/api/session', '/readyz'];
      for (const path of [...paths, '/assets/nothing.js', '/api/broken', '/api/nothing']) {
        for (const headers of [asAdmin, { authorization: `Bearer ${ADMIN_TOKEN}x` }]) {
          const answer = await fetch(there.origin + path, { headers });
          told.push(JSON.stringify([...answer.headers]), await answer.text());
        }
      }
      told.push(
        await there.raw(
          `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nX\r\n\r\n`,
        ),
      );
      assert.doesNotMatch(told.join('\n'), /secret-(admin|viewer)|canary|\bat .+:\d+:\d+/);
      assert.equal(lines.length, 1, 'what failed inside is logged, once');
      assert.doesNotMatch(lines.map(String).join('\n'), /secret-(admin|viewer)/);
    } finally {
      await there.close();
      console.error = print;
      diag.disable();
    }
  });

  it('slows guessing of tokens down, by whichever door', async () => {
    const there = await serveApp();
    const guess = async (i: number): Promise<number> => {
      if (i % 2 === 0) {
        const headers = { authorization: `Bearer guess-${i}` };
        return (await fetch(`${there.origin}/api/session`, { headers })).status;
      }
      const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const body = JSON.stringify({ token: `guess-${i}` });
      return (await fetch(`${there.origin}/api/session`, { ...init, body })).status;
    };
    const statuses: number[] = [];
    for (let i = 0; i < 14; i++) statuses.push(await guess(i));
    assert.deepEqual(statuses.slice(0, 10), Array<number>(10).fill(401));
    assert.deepEqual(statuses.slice(10), Array<number>(4).fill(429));
    await there.close();
  });
});
