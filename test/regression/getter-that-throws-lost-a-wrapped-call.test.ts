import assert from 'node:assert/strict';
import { meterChat } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';

describe('a function of meterChat whose values have getters that throw', () => {
  let calls: RecordedCalls;
  before(() => void (calls = startRecording()));
  beforeEach(() => calls.reset());
  after(() => calls.close());

  const throwing = (name: string, rest: object = {}): object =>
    Object.defineProperty({ ...rest }, name, {
      enumerable: true,
      get() {
        throw new RangeError(name);
      },
    });
  const usage = { inputTokens: 18, outputTokens: 4 };

  for (const [where, request] of [
    ['model', throwing('model', { userId: 'ann' })],
    ['messages', throwing('messages', { userId: 'ann' })],
    ['tools', throwing('tools', { userId: 'ann' })],
    ['team', throwing('team', { userId: 'ann' })],
  ] as const) {
    it(`has a record without what is there: ${where}`, async () => {
      const reply = { response: 'Twice', usage };
      const ask = meterChat((_request: object) => Promise.resolve(reply));
      assert.equal(await ask(request), reply);
      const record = await calls.only();
      assert.partialDeepStrictEqual(record, { ...usage, userId: 'ann', requestModel: 'unknown' });
    });
  }

  it('has the value of the next name, and the tokens of a result with such a getter', async () => {
    const ask = meterChat((_request: object) => Promise.resolve(throwing('response', { usage })));
    await ask(throwing('model_name', { model: 'gpt-4o' }));
    assert.partialDeepStrictEqual(await calls.only(), { ...usage, requestModel: 'gpt-4o' });
  });
});
