import assert from 'node:assert/strict';
import { RecentCalls, type CallTrace } from '../../src/call/recent-calls.ts';

describe('RecentCalls', () => {
  const call: CallTrace = {
    responseId: 'r-1',
    requestModel: 'gpt-4o',
    responseModel: 'gpt-4o-0806',
    startedMs: 100,
  };

  function after(...calls: readonly CallTrace[]): RecentCalls {
    const recent = new RecentCalls();
    for (const each of calls) recent.add(each);
    return recent;
  }

  it('answers once for each call', () => {
    const recent = after(call, call);
    const sighting = { responseId: 'r-1', sinceMs: 0 };
    assert.deepEqual(
      [recent.take(sighting), recent.take(sighting), recent.take(sighting)],
      [true, true, false],
    );
  });

  it('knows no call that started earlier, and none of another id', () => {
    assert.equal(after(call).take({ responseId: 'r-1', sinceMs: 101 }), false);
    assert.equal(after(call).take({ responseId: 'r-2', model: 'gpt-4o', sinceMs: 0 }), false);
  });

  it('goes by the model only where it is given and an id is missing', () => {
    assert.equal(after(call).take({ model: 'gpt-4o-0806', sinceMs: 0 }), true);
    assert.equal(after(call).take({ model: 'o3', sinceMs: 0 }), false);
    assert.equal(after(call).take({ sinceMs: 0 }), false);
  });

  it('takes no call of the layer that asks: those are beside it', () => {
    const recent = after({ ...call, layer: 'langchain' });
    assert.equal(recent.take({ responseId: 'r-1', layer: 'langchain', sinceMs: 0 }), false);
    assert.equal(recent.take({ responseId: 'r-1', layer: 'ai-sdk', sinceMs: 0 }), true);
  });

  it('forgets the oldest', () => {
    const recent = after(call);
    for (let i = 0; i < 300; i += 1) recent.add({ ...call, responseId: `later-${i}` });
    assert.equal(recent.take({ responseId: 'r-1', sinceMs: 0 }), false);
    assert.equal(recent.take({ responseId: 'later-299', sinceMs: 0 }), true);
  });
});
