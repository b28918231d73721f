import assert from 'node:assert/strict';
import { Access } from '../../../example-app/middleware/access.ts';
import { type ServedApp } from '../../support/app.ts';
import { type ReceivedEvents, receiveEvents } from '../../support/event-source.ts';
import { until } from '../../support/until.ts';
import { type WholeApp, serveWholeApp } from '../../support/whole-app.ts';

const VIEWERS = Array.from({ length: 8 }, (_, i) => `viewer-${i}`);

describe('event streams', () => {
  let app: WholeApp;
  const open: ReceivedEvents[] = [];

  beforeEach(async () => {
    const viewerTokens = VIEWERS.map((name) => `${name}:token-of-${name}`).join(',');
    app = await serveWholeApp({
      access: new Access({ adminTokens: 'ada:x', viewerTokens }),
      checkEveryMs: 50,
    });
  });

  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await app.close();
  });

  async function watch(name: string, path = '/api/events'): Promise<ReceivedEvents> {
    const { origin }: ServedApp = app;
    const events = await receiveEvents(origin + path, { authorization: `Bearer token-of-${name}` });
    open.push(events);
    return events;
  }

  it('are 50 in all and 8 of one caller, whatever the others hold', async () => {
    for (const name of VIEWERS) {
      const made = await Promise.all(Array.from({ length: 8 }, () => watch(name)));
      const served = made.filter(({ answer }) => answer.status === 200).length;
      assert.equal(served, name === 'viewer-6' ? 2 : name === 'viewer-7' ? 0 : 8, name);
    }
    const refused = open.at(-1)?.answer;
    assert.equal(refused?.status, 503);
    assert.equal(refused.headers.get('retry-after'), '10');
    assert.equal((await watch('viewer-7', '/api/settings/metrics/events')).answer.status, 503);
    open[0]?.close();
    await until(async () => (await watch('viewer-7')).answer.ok);
  });

  it('carry all topics in one, and what a client missed', async () => {
    await app.settings.patch({ enabled: false }, { actor: 'ada' });
    await app.settings.patch({ enabled: true }, { actor: 'bob' });
    const events = await watch('viewer-0');
    for (const name of ['settings', 'status', 'instances']) {
      await events.next(({ event }) => event === name);
    }
    const { id, data } = await events.next(({ event }) => event === 'settings');
    assert.deepEqual([id, data['updated_by']], ['2', 'bob']);
    await app.settings.patch({ token_statistics: false }, { actor: 'ada' });
    await events.next((event) => event.id === '3');
  });

  it('end soon after their session, and no other', async () => {
    const { origin } = app;
    const signIn = async (): Promise<string> => {
      const answer = await fetch(`${origin}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: 'token-of-viewer-0' }),
      });
      return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    };
    const [one, two] = [await signIn(), await signIn()];
    const ofOne = await receiveEvents(`${origin}/api/events`, { cookie: one });
    const ofTwo = await receiveEvents(`${origin}/api/events`, { cookie: two });
    open.push(ofOne, ofTwo);
    const headers = { cookie: one, 'sec-fetch-site': 'same-origin' };
    assert.equal((await fetch(`${origin}/api/session`, { method: 'DELETE', headers })).status, 204);
    await until(() => ofOne.ended);
    assert.equal(ofTwo.ended, false);
  });

  it('are for those who may see, and answer HEAD without a stream', async () => {
    const url = `${app.origin}/api/events`;
    assert.equal((await fetch(url)).status, 401);
    const headers = { authorization: 'Bearer token-of-viewer-0' };
    for (let i = 0; i < 20; i++) {
      assert.equal((await fetch(url, { method: 'HEAD', headers })).status, 200);
    }
    assert.equal((await watch('viewer-0')).answer.status, 200);
  });
});
