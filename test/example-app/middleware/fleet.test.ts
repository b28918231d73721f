import assert from 'node:assert/strict';
import { Access } from '../../../example-app/middleware/access.ts';
import { Fleet } from '../../../example-app/middleware/fleet.ts';
import { type ServedApp, serveApp } from '../../support/app.ts';
import { type TestServer, requireServer, startRedis } from '../../support/servers.ts';
import { until } from '../../support/until.ts';

const json = { 'content-type': 'application/json' };
const TOKEN = 'a-long-random-token-1';

describe('callers of several instances', () => {
  let redis: TestServer;
  const fleets: Fleet[] = [];
  const apps: ServedApp[] = [];
  const lost: string[] = [];

  before(function () {
    requireServer(this, 'redis-server');
  });

  beforeEach(async () => {
    redis = await startRedis();
    for (let i = 0; i < 2; i++) {
      const onLost = (reason: string): void => void lost.push(reason);
      const fleet = new Fleet({ url: redis.url, keyPrefix: 'test', onLost });
      fleets.push(fleet);
      const access = new Access({ adminTokens: `ada:${TOKEN}`, sessionSecret: 'shared secret' });
      apps.push(await serveApp({ access, fleet }));
    }
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    for (const fleet of fleets.splice(0)) fleet.close();
    await redis.stop();
    lost.length = 0;
  });

  const guess = async (app: ServedApp, i: number): Promise<number> =>
    (await fetch(`${app.origin}/api/session`, { headers: { authorization: `Bearer no-${i}` } }))
      .status;

  async function signIn(app: ServedApp, body: object = { token: TOKEN }, cookie = '') {
    const headers = { ...json, ...(cookie && { cookie, 'sec-fetch-site': 'same-origin' }) };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return await fetch(`${app.origin}/api/session`, init);
  }

  const who = async (app: ServedApp, cookie: string): Promise<unknown> =>
    (
      (await (await fetch(`${app.origin}/api/session`, { headers: { cookie } })).json()) as {
        name: unknown;
      }
    ).name;

  it('are limited together, and each instance by itself while Redis is away', async () => {
    // A limit of one that is used up shows that Redis counts.
    for (const fleet of fleets) await until(async () => (await fleet.take('warm', 'x', 1)) > 0);
    const statuses: number[] = [];
    for (let i = 0; i < 13; i++) statuses.push(await guess(apps[i % 2]!, i));
    assert.deepEqual(statuses.slice(0, 10), Array<number>(10).fill(401));
    assert.deepEqual(statuses.slice(10), [429, 429, 429]);
    await redis.kill();
    await until(() => lost.length > 0);
    assert.equal(await guess(apps[0]!, 99), 401, 'its own share is not used up');
  });

  it('are signed out everywhere at once', async () => {
    const cookie = ((await signIn(apps[0]!)).headers.get('set-cookie') ?? '').split(
      ';',
    )[0] as string;
    assert.equal(await who(apps[1]!, cookie), 'ada');
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const out = await fetch(`${apps[0]!.origin}/api/session`, { method: 'DELETE', headers });
    assert.equal(out.status, 204);
    assert.deepEqual([await who(apps[0]!, cookie), await who(apps[1]!, cookie)], [null, null]);
  });

  it('keep their session when a link brings the token of somebody else, unless they mean it', async () => {
    const access = new Access({ adminTokens: `ada:${TOKEN},bob:another-random-token` });
    const app = await serveApp({ access });
    apps.push(app);
    const cookie = ((await signIn(app)).headers.get('set-cookie') ?? '').split(';')[0] as string;
    const swapped = await signIn(app, { token: 'another-random-token' }, cookie);
    assert.equal(swapped.status, 409);
    assert.equal(swapped.headers.get('set-cookie'), null);
    const problem = (await swapped.json()) as Record<string, unknown>;
    assert.deepEqual(
      [problem['code'], problem['name'], problem['new_name']],
      ['already_signed_in', 'ada', 'bob'],
    );
    const meant = await signIn(app, { token: 'another-random-token', replace: true }, cookie);
    assert.equal(meant.status, 200);
    assert.equal((await signIn(app, { token: TOKEN }, cookie)).status, 200, 'the same name again');
  });
});
