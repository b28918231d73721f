import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkAnswer, describedOperations, requestsFor } from '../support/fuzz-routes.ts';
import { until } from '../support/until.ts';
import { type WholeApp, serveWholeApp } from '../support/whole-app.ts';

// The small sister of test/slow/fuzz-routes.test.ts.
describe('every route of /openapi.json', () => {
  let app: WholeApp;

  before(async () => {
    app = await serveWholeApp({ changesPerMinute: 1_000_000 });
  });

  after(async () => {
    await app.close();
  });

  it('answers anything without a 5xx, a hang or a leak', async () => {
    const operations = await describedOperations(app.origin);
    assert.ok(operations.length >= 12, 'the whole application');
    for (const operation of operations) {
      await fc.assert(
        fc.asyncProperty(requestsFor(operation), async (request) => {
          await checkAnswer(app, request);
        }),
        { numRuns: 25 },
      );
    }
  });

  it('holds no connection and no stream afterwards', async () => {
    app.server.closeIdleConnections();
    await until(async () => {
      const count = await new Promise<number>((resolve, reject) => {
        app.server.getConnections((error, found) => (error ? reject(error) : resolve(found)));
      });
      return count <= 1;
    });
  });
});
