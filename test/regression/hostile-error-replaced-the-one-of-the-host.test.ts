import assert from 'node:assert/strict';
import { startMetering, type Metering } from '../support/metering.ts';
import { CHUNKS, onlyRecord, startChat } from '../support/watched-call.ts';

function inCircles(): Error {
  const first = new Error('the first');
  const second = new Error('the second', { cause: first });
  first.cause = second;
  return first;
}

const ERRORS: Readonly<Record<string, () => unknown>> = {
  'causes that go round in circles': inCircles,
  'a code that cannot be read': () =>
    Object.defineProperty(new Error('odd'), 'code', {
      get() {
        throw new Error('from the getter');
      },
    }),
  'a proxy that refuses everything': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

/** What an error says was read on the path of the host, where reading it may throw as well. */
describe('an error that throws when it is read', () => {
  let metering: Metering;
  before(() => {
    metering = startMetering();
    metering.on();
  });
  after(() => {
    metering.off();
    metering.close();
  });

  for (const [title, error] of Object.entries(ERRORS)) {
    it(`${title}: throws nothing into the host, and the call is recorded as failed`, async () => {
      const call = startChat(metering);
      // The reply has begun: then it matters what the error says.
      call.event(CHUNKS[0]);
      call.failed(error());
      const { outcome } = await onlyRecord(metering);
      assert.equal(outcome, 'error');
    });
  }
});
