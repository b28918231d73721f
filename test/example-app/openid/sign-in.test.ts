import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Configuration } from 'oidc-provider';
import { Access } from '../../../example-app/middleware/access.ts';
import { Signer } from '../../../example-app/middleware/signer.ts';
import { OpenIdProvider } from '../../../example-app/openid/openid-provider.ts';
import { settingsRoutes } from '../../../example-app/routes/settings.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  metricsSettings,
} from '../../../src/settings/index.ts';
import { ADMIN_TOKEN, type ServedApp, serveApp } from '../../support/app.ts';
import { CookieWalk } from '../../support/cookie-walk.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type TestOpenIdProvider,
  openIdProvider,
} from '../../support/openid-provider.ts';

const SESSION = 'token_meter_session';
const UNDER_WAY = 'token_meter_openid';

describe('sign-in with OpenID Connect', () => {
  let provider: TestOpenIdProvider;
  let app: ServedApp;
  let settings: SettingsService<MetricsSettings>;
  let log: string[];
  /** Ahead of the clock of the provider, ms. */
  let aheadMs: number;
  let walk: CookieWalk;

  beforeEach(async () => {
    provider = await openIdProvider();
    log = [];
    aheadMs = 0;
    walk = new CookieWalk();
    const store = new MemorySettingsStore();
    settings = new SettingsService({ schema: metricsSettings, store });
    await settings.start();
    app = await serve();
  });

  afterEach(async () => {
    await app.close();
    await provider.stop();
    await settings.close();
    assert.deepEqual(app.errors, []);
    assert.doesNotMatch(log.join('\n'), new RegExp(CLIENT_SECRET));
  });

  async function serve({
    isPublic = false,
    teamsClaim = undefined as string | undefined,
  } = {}): Promise<ServedApp> {
    const now = (): number => Date.now() + aheadMs;
    const write = (line: string): void => void log.push(line);
    const openId = {
      provider: new OpenIdProvider({
        issuer: new URL(provider.issuer),
        clientId: CLIENT_ID,
        clientSecret: isPublic ? undefined : CLIENT_SECRET,
        scope: 'openid profile email',
        roles: { claim: 'roles', admin: ['admin'], viewer: ['viewer'] },
        teamsClaim,
        log: { info: write, warn: write } as never,
        now,
      }),
      signer: new Signer('a secret of the test', { purpose: 'openid sign-in' }),
      log: { info: write, warn: write } as never,
      now,
    };
    const access = new Access({ adminTokens: `ada:${ADMIN_TOKEN}`, teamsClaim, now });
    return await serveApp({ access, openId, routes: settingsRoutes({ settings }) });
  }

  const started = async (configuration?: Configuration): Promise<void> =>
    await provider.start(app.origin, configuration);

  async function post(path: string, body: object): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return await walk.send(app.origin + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
  }

  /** The address at the provider. */
  async function begin(back = '/settings'): Promise<URL> {
    const answer = await post('/api/session/openid', { back });
    assert.equal(answer.status, 200);
    return new URL(((await answer.json()) as { url: string }).url);
  }

  const isCallback = ({ origin, pathname }: URL): boolean =>
    origin === app.origin && pathname === '/sign-in/openid';

  async function signIn(back?: string): Promise<URL> {
    return await walk.go(await begin(back));
  }

  async function who(): Promise<unknown> {
    return await (await walk.send(`${app.origin}/api/session`)).json();
  }

  async function patch(): Promise<number> {
    const answer = await walk.send(`${app.origin}/api/settings/metrics`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ enabled: !settings.get().enabled }),
    });
    return answer.status;
  }

  async function assertRefused(at: URL, problem: string): Promise<void> {
    assert.equal(at.origin + at.pathname, `${app.origin}/sign-in`);
    assert.equal(at.searchParams.get('problem'), problem);
    assert.equal(at.searchParams.get('signed-in'), null);
    assert.deepEqual(await who(), { name: null, role: null });
  }

  it('takes the role from the claim and names the person in the audit log', async () => {
    await started();
    const at = await signIn();
    assert.equal(at.href, `${app.origin}/sign-in?back=%2Fsettings&signed-in=openid`);
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
    assert.equal(await patch(), 200);
    assert.equal((await settings.audit(1))[0]?.actor, 'ada@corp.test');
    assert.match(log.join('\n'), /ada@corp\.test signed in as admin/);
  });

  it('asks with PKCE, state and nonce, which are never the same', async () => {
    await started();
    const [one, two] = [await begin(), await begin()];
    for (const { searchParams: sent } of [one, two]) {
      assert.equal(sent.get('response_type'), 'code');
      assert.equal(sent.get('code_challenge_method'), 'S256');
      assert.equal(sent.get('redirect_uri'), `${app.origin}/sign-in/openid`);
    }
    for (const name of ['state', 'nonce', 'code_challenge']) {
      assert.ok((one.searchParams.get(name) ?? '').length >= 43, name);
      assert.notEqual(one.searchParams.get(name), two.searchParams.get(name));
    }
  });

  it('lets a viewer look and not change', async () => {
    await started();
    provider.person = 'vic';
    await signIn();
    assert.deepEqual(await who(), { name: 'vic@corp.test', role: 'viewer' });
    assert.equal(await patch(), 403);
  });

  it('limits a viewer to the teams of the claim, and to none without it', async () => {
    await app.close();
    app = await serve({ teamsClaim: 'teams' });
    await started({
      claims: { openid: ['sub'], email: ['email', 'email_verified', 'roles', 'teams'] },
    });
    provider.person = 'vic';
    await signIn();
    assert.deepEqual(await who(), { name: 'vic@corp.test', role: 'viewer', teams: ['search'] });
    walk = new CookieWalk();
    provider.person = 'eve';
    await signIn();
    assert.deepEqual(await who(), { name: 'openid:eve', role: 'viewer', teams: [] });
    walk = new CookieWalk();
    provider.person = 'ada';
    await signIn();
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
  });

  it('names by subject those whose address nobody has verified', async () => {
    await started();
    provider.person = 'eve';
    await signIn();
    assert.deepEqual(await who(), { name: 'openid:eve', role: 'viewer' });
  });

  it('reads the claims from the ID token where they are there', async () => {
    await started({ conformIdTokenClaims: false, features: { userinfo: { enabled: false } } });
    await signIn();
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
  });

  it('asks for the address where the ID token has the roles alone', async () => {
    await started({ claims: { openid: ['sub', 'roles'], email: ['email', 'email_verified'] } });
    await signIn();
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
  });

  it('lets one of two who come back with the same code in', async () => {
    await started();
    const callback = await walk.go(await begin(), isCallback);
    const cookie = `${UNDER_WAY}=${walk.cookie(app.origin, UNDER_WAY)}`;
    const answers = await Promise.all(
      [1, 2, 3].map(() => fetch(callback, { redirect: 'manual', headers: { cookie } })),
    );
    const signedIn = answers.filter((answer) =>
      answer.headers.getSetCookie().some((line) => line.startsWith(`${SESSION}=`)),
    );
    assert.ok(signedIn.length <= 1);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([303]));
  });

  it('answers a Host header that is no name with 400', async () => {
    await started();
    const body = '{"back":"/"}';
    for (const host of ['a b', '[', 'x:y:z']) {
      const answer = await app.raw(
        `POST /api/session/openid HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      assert.match(answer, /^HTTP\/1\.1 400 /, host);
    }
  });

  it('logs no line that the address made up', async () => {
    await started();
    const url = await begin();
    const state = url.searchParams.get('state') ?? '';
    const callback = new URL(`${app.origin}/sign-in/openid`);
    callback.searchParams.set('state', state);
    callback.searchParams.set('error', 'server_error');
    callback.searchParams.set('error_description', 'x\n{"level":30,"msg":"ada signed in"}\u202e');
    await assertRefused(await walk.go(callback), 'failed');
    assert.doesNotMatch(log.join(''), /[\n\u202e]/);
  });

  it('works without a client secret, by PKCE alone', async () => {
    await app.close();
    app = await serve({ isPublic: true });
    await provider.start(app.origin, {
      clients: [
        {
          client_id: CLIENT_ID,
          token_endpoint_auth_method: 'none',
          redirect_uris: [`${app.origin}/sign-in/openid`],
        },
      ],
    });
    await signIn();
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
  });

  it('refuses a person without a role', async () => {
    await started();
    provider.person = 'guest';
    await assertRefused(await signIn(), 'no_role');
    assert.match(log.join('\n'), /guest@corp\.test has no role in the claim roles/);
  });

  it('says that the provider refused', async () => {
    await started();
    provider.person = undefined;
    await assertRefused(await signIn(), 'denied');
  });

  it('refuses another state, a missing one, and a browser that did not begin', async () => {
    await started();
    const callback = await walk.go(await begin(), isCallback);
    const kept = walk.cookie(app.origin, UNDER_WAY) as string;
    for (const state of ['x', '', undefined]) {
      walk.setCookie(app.origin, UNDER_WAY, kept);
      const changed = new URL(callback);
      if (state === undefined) changed.searchParams.delete('state');
      else changed.searchParams.set('state', state);
      await assertRefused(await walk.go(changed), 'expired');
    }
    // Whom somebody sends the link that signs in as somebody else.
    walk = new CookieWalk();
    await assertRefused(await walk.go(callback), 'expired');
  });

  it('refuses an ID token with another nonce', async () => {
    await started();
    const url = await begin();
    url.searchParams.set('nonce', 'of-another-sign-in');
    await assertRefused(await walk.go(url), 'failed');
    assert.match(log.join('\n'), /nonce/);
  });

  it('takes a code once, and from the one who has its verifier', async () => {
    await started();
    const callback = await walk.go(await begin(), isCallback);
    const kept = walk.cookie(app.origin, UNDER_WAY) as string;
    await walk.go(callback);
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
    assert.equal(walk.cookie(app.origin, UNDER_WAY), undefined, 'nothing is left of it');
    walk = new CookieWalk();
    walk.setCookie(app.origin, UNDER_WAY, kept);
    await assertRefused(await walk.go(callback), 'failed');
  });

  it('believes no cookie that it did not sign, nor one of a session', async () => {
    await started();
    const callback = await walk.go(await begin(), isCallback);
    const kept = walk.cookie(app.origin, UNDER_WAY) as string;
    const access = new Access({ adminTokens: ADMIN_TOKEN, sessionSecret: 'a secret of the test' });
    const session = access.createSession({ name: 'x', role: 'admin' }).value;
    for (const value of [`${kept}x`, kept.slice(0, -1), session, 'x.y', '.']) {
      walk.setCookie(app.origin, UNDER_WAY, value);
      await assertRefused(await walk.go(callback), 'expired');
    }
    walk.setCookie(app.origin, SESSION, kept);
    assert.deepEqual(await who(), { name: null, role: null });
  });

  it('gives up a sign-in that takes more than ten minutes', async () => {
    await started();
    const callback = await walk.go(await begin(), isCallback);
    aheadMs = 11 * 60_000;
    await assertRefused(await walk.go(callback), 'expired');
  });

  it('starts and takes tokens while the provider is down, and says so', async () => {
    const refused = await post('/api/session/openid', { back: '/' });
    assert.equal(refused.status, 503);
    assert.equal(((await refused.json()) as { code: string }).code, 'provider_unavailable');
    assert.match(log.join('\n'), /provider http:\/\/localhost:\d+\/ cannot be used/);
    assert.equal((await post('/api/session', { token: ADMIN_TOKEN })).status, 200);
    assert.deepEqual(await who(), { name: 'ada', role: 'admin' });
    walk = new CookieWalk();
    await started();
    await signIn();
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
  });

  it('says that the provider went away in between', async () => {
    await started();
    const callback = await walk.go(await begin(), isCallback);
    await provider.stop();
    await assertRefused(await walk.go(callback), 'unavailable');
  });

  it('refuses a provider that says it is another one', async () => {
    await app.close();
    const { issuer } = provider;
    Object.assign(provider, { issuer: issuer.replace('localhost', '127.0.0.1') });
    await provider.start(app.origin);
    Object.assign(provider, { issuer });
    app = await serve();
    assert.equal((await post('/api/session/openid', { back: '/' })).status, 503);
  });

  it('says that the provider names no address to go to', async () => {
    await app.close();
    const { issuer } = provider;
    const { port, hostname } = new URL(issuer);
    const discovery = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ issuer }));
    }).listen(Number(port), hostname);
    await once(discovery, 'listening');
    app = await serve();
    try {
      assert.equal((await post('/api/session/openid', { back: '/' })).status, 503);
      assert.match(log.join('\n'), /cannot be used: .*authorization_endpoint/);
    } finally {
      discovery.closeAllConnections();
      discovery.close();
    }
  });

  it('takes new keys and addresses of a provider that was replaced', async () => {
    await started();
    await signIn();
    await provider.stop();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: 'jwk' }), kid: 'another', use: 'sig' };
    await started({ jwks: { keys: [key as never] } });
    walk = new CookieWalk();
    // The code is used up by the time the keys turn out to be others.
    await assertRefused(await signIn(), 'failed');
    assert.match(log.join('\n'), /no applicable keys/);
    await signIn();
    assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
  });

  it('ends with the sign-out, for whoever has a copy of the cookie', async () => {
    await started();
    await signIn();
    const copy = walk.cookie(app.origin, SESSION) as string;
    const out = await walk.send(`${app.origin}/api/session`, { method: 'DELETE' });
    assert.equal(out.status, 204);
    walk.setCookie(app.origin, SESSION, copy);
    assert.deepEqual(await who(), { name: null, role: null });
    assert.equal(await patch(), 401);
  });

  it('ends after half a day', async () => {
    await started();
    await signIn();
    aheadMs = 12 * 3_600_000 - 60_000;
    assert.equal(await patch(), 200);
    aheadMs = 12 * 3_600_000;
    assert.equal(await patch(), 401);
  });

  for (const [seconds, problem] of [
    [30, undefined],
    [-30, undefined],
    [7200, 'clock'],
    // By its clock the tokens were issued in the future, which takes nothing from them.
    [-7200, undefined],
  ] as const) {
    it(`${problem ? 'refuses' : 'bears'} a clock that is ${seconds} s ahead`, async () => {
      await started();
      aheadMs = seconds * 1000;
      const at = await signIn();
      if (problem) await assertRefused(at, problem);
      else assert.deepEqual(await who(), { name: 'ada@corp.test', role: 'admin' });
    });
  }

  it('sends nobody to another site afterwards', async () => {
    await started();
    for (const back of ['//evil.test/login', '/.//evil.test', '/\\evil.test', '/settings?x=//a']) {
      const at = await signIn(back);
      assert.equal(at.origin + at.pathname, `${app.origin}/sign-in`, 'its page decides');
      assert.equal(at.searchParams.get('back'), back);
    }
    for (const back of [
      'https://evil.test',
      'evil',
      '',
      '/\r\nSet-Cookie: a=b',
      `/${'x'.repeat(2000)}`,
    ]) {
      assert.equal((await post('/api/session/openid', { back })).status, 422, back);
    }
  });

  it('is begun by no foreign page, and not a hundred times a minute', async () => {
    await started();
    for (const site of ['cross-site', 'same-site']) {
      const answer = await fetch(`${app.origin}/api/session/openid`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'sec-fetch-site': site },
        body: '{}',
      });
      assert.equal(answer.status, 403);
    }
    const answers = await Promise.all(
      Array.from({ length: 70 }, () => post('/api/session/openid', { back: '/' })),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 429]));
  });

  it('keeps its cookie from scripts and other paths, and sends it over TLS only where there is TLS', async () => {
    await started();
    const answer = await post('/api/session/openid', { back: '/' });
    const line = answer.headers.getSetCookie().join('\n');
    for (const part of [/path=\/sign-in\/openid/, /httponly/, /samesite=lax/]) {
      assert.match(line, part);
    }
    assert.doesNotMatch(line, /secure/);
  });
});
