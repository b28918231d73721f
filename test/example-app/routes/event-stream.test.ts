import assert from 'node:assert/strict';
import { asAdmin } from '../../support/app.ts';
import { receiveEvents } from '../../support/event-source.ts';
import { type UsageApp, serveUsage } from '../../support/usage-app.ts';

describe('an event stream', () => {
  let usage: UsageApp;

  beforeEach(async () => {
    usage = await serveUsage();
  });
  afterEach(async () => {
    await usage.close();
  });

  it('begins with a large document, and goes on', async () => {
    const path = `${usage.app.origin}/api/settings/console`;
    const address = `/?user=${'a'.repeat(4000)}`;
    for (let part = 0; part < 20; part++) {
      const views = Array.from(
        { length: 15 },
        (_, i) => [`view-${part}-${i}`, { kind: 'view', name: 'long', address }] as const,
      );
      const { status } = await fetch(path, {
        method: 'PATCH',
        headers: { ...asAdmin, 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify(Object.fromEntries(views)),
      });
      assert.equal(status, 200);
    }
    const events = await receiveEvents(`${path}/events`, asAdmin);
    const { data } = await events.next(({ event }) => event === 'console');
    assert.equal(Object.keys(data['settings'] as object).length, 300);
    await events.next(({ event }) => event === 'console_status');
    events.close();
  });
});
