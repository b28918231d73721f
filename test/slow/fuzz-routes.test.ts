import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ADMIN_TOKEN } from '../support/app.ts';
import { checkAnswer, describedOperations, requestsFor } from '../support/fuzz-routes.ts';
import { type WholeApp, serveWholeApp } from '../support/whole-app.ts';

describe('a long fuzz of the application', () => {
  let app: WholeApp;

  before(async () => {
    app = await serveWholeApp({ changesPerMinute: 1_000_000 });
  });

  after(async () => {
    await app.close();
  });

  it('answers thousands of requests to every route without a 5xx, a hang or a leak', async () => {
    const statuses = new Map<number, number>();
    for (const operation of await describedOperations(app.origin)) {
      await fc.assert(
        fc.asyncProperty(requestsFor(operation), async (request) => {
          const status = await checkAnswer(app, request);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }),
        { numRuns: 400 },
      );
    }
    console.log(`      ${[...statuses].map(([status, n]) => `${status}: ${n}`).join(', ')}`);
    for (const expected of [200, 401, 403, 422]) {
      assert.ok((statuses.get(expected) ?? 0) > 50, `hardly any ${expected}: not the routes`);
    }
  });

  it('stays up under bytes that are nearly HTTP', async () => {
    const body = '{"enabled":false}';
    const valid = Buffer.from(
      `PATCH /api/settings/metrics?reason=x HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
        `Authorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    const mutation = fc.tuple(fc.nat(valid.length - 1), fc.nat(2), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
        const bytes = [...valid];
        for (const [at, kind, byte] of mutations) {
          if (kind === 0) bytes[at % bytes.length] = byte;
          else if (kind === 1) bytes.splice(at % bytes.length, 1);
          else bytes.splice(at % bytes.length, 0, byte);
        }
        const answer = await app.raw(Buffer.from(bytes).toString('latin1'), 150);
        assert.match(answer, /^$|^HTTP\/1\.1 [1234]\d\d /);
        assert.doesNotMatch(answer, /\bat .+:\d+:\d+|node_modules|secret-admin/);
      }),
      { numRuns: 300 },
    );
    assert.equal((await fetch(`${app.origin}/healthz`)).status, 200);
    assert.deepEqual(app.errors.map(String), []);
  });
});
