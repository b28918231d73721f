import assert from 'node:assert/strict';
import { meterChat, recordUsage, withUsageContext, type UsageContext } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';

/** `attributes: null` cost the record, a nested `undefined` threw into the host. */
describe('what JavaScript passes for a usage context', () => {
  let calls: RecordedCalls;
  before(() => void (calls = startRecording()));
  beforeEach(() => calls.reset());
  after(() => calls.close());

  const chat = meterChat(() => ({ response: 'Twice a day.' }));
  const objectId = { toHexString: () => '65f1c0ffee0000000000beef' };

  it('keeps the record where there are no attributes, or none that can be', async () => {
    for (const attributes of [null, undefined, 'none', 7, [], {}]) {
      calls.reset();
      withUsageContext({ userId: 'alice', attributes } as unknown as UsageContext, () => chat());
      assert.equal((await calls.only()).userId, 'alice', JSON.stringify(attributes));
      calls.reset();
      assert.ok(await recordUsage({ model: 'm', attributes } as never), JSON.stringify(attributes));
    }
  });

  it('keeps what is around a context that says nothing', async () => {
    for (const nothing of [undefined, null, 'alice', 7]) {
      calls.reset();
      withUsageContext({ userId: 'alice' }, () =>
        withUsageContext(nothing as unknown as UsageContext, () => chat()),
      );
      assert.equal((await calls.only()).userId, 'alice', JSON.stringify(nothing));
    }
  });

  it('takes the id of a database for a user, and no object that is none', async () => {
    for (const [userId, expected] of [
      [objectId, '65f1c0ffee0000000000beef'],
      [{ name: 'Alice' }, undefined],
      [7n, '7'],
    ] as const) {
      calls.reset();
      withUsageContext({ userId } as unknown as UsageContext, () => chat());
      assert.equal((await calls.only()).userId, expected);
    }
    const record = await recordUsage({ model: 'm', userId: objectId as unknown as string });
    assert.equal(record?.userId, '65f1c0ffee0000000000beef');
  });
});
