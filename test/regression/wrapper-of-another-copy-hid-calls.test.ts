import assert from 'node:assert/strict';
import { activeContext, runIn } from '../../src/context.ts';
import type * as Claims from '../../src/call/claims.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { onlyRecord, startChat, USAGE } from '../support/watched-call.ts';

/**
 * A bundle has a copy of this package of its own beside that of the preload. Inside a `meterChat` of the one
 * the other could not read the scope, and metered nothing.
 */
describe('a call inside a wrapper of another copy of this package', () => {
  let metering: Metering;
  before(() => {
    metering = startMetering();
    metering.on();
  });
  after(() => {
    metering.off();
    metering.close();
  });

  it('is recorded', async () => {
    const name = '../../src/call/claims.ts?another-copy';
    const other = (await import(name)) as typeof Claims;
    const sight = { operation: 'chat', requestModel: 'gpt-4o' };
    const scope = new other.CallScope(undefined, sight, 'meter-chat');
    runIn(other.setScope(activeContext(), scope), () => {
      startChat(metering).complete({ id: 'c1', choices: [], usage: USAGE });
    });
    const { outcome, inputTokens } = await onlyRecord(metering);
    assert.deepEqual([outcome, inputTokens], ['ok', 18]);
  });
});
