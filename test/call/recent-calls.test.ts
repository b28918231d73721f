import assert from 'node:assert/strict';
import { RecentCalls, type CallTrace, type LateSighting } from '../../src/call/recent-calls.ts';

describe('RecentCalls', () => {
  const call: CallTrace = {
    operation: 'chat',
    responseId: 'r-1',
    requestModel: 'gpt-4o',
    responseModel: 'gpt-4o-0806',
    startedMs: 100,
    endedMs: 200,
  };
  const sighting = (more: Partial<LateSighting>): LateSighting => ({
    operation: 'chat',
    sinceMs: 0,
    nowMs: 300,
    ...more,
  });

  function after(...calls: readonly CallTrace[]): RecentCalls {
    const recent = new RecentCalls();
    for (const each of calls) recent.add(each);
    return recent;
  }

  it('answers once for each call', () => {
    const recent = after(call, call);
    const again = sighting({ responseId: 'r-1' });
    assert.deepEqual(
      [1, 2, 3].map(() => recent.take(again)),
      [true, true, false],
    );
  });

  it('knows no call that started earlier, none of another id, and no embedding', () => {
    for (const other of [
      { responseId: 'r-1', sinceMs: 101 },
      { responseId: 'r-2', requestModel: 'gpt-4o', byModel: true },
      { responseId: 'r-1', operation: 'embeddings' },
    ]) {
      assert.equal(after(call).take(sighting(other)), false, JSON.stringify(other));
    }
  });

  it('goes by the model only where that is allowed and an id is missing', () => {
    const byModel = true;
    assert.equal(after(call).take(sighting({ requestModel: 'gpt-4o-0806', byModel })), true);
    assert.equal(after(call).take(sighting({ requestModel: 'gpt-4o-0806' })), false);
    assert.equal(after(call).take(sighting({ requestModel: 'o3', byModel })), false);
    assert.equal(after(call).take(sighting({ byModel })), false);
  });

  it('takes no call of the wrapper that asks: those are beside it', () => {
    const recent = after({ ...call, wrapper: 'langchain' });
    assert.equal(recent.take(sighting({ responseId: 'r-1', wrapper: 'langchain' })), false);
    assert.equal(recent.take(sighting({ responseId: 'r-1', wrapper: 'ai-sdk' })), true);
  });

  it('remembers for a minute, however many calls follow, up to its bound', () => {
    const recent = after(call);
    for (let i = 0; i < 20_000; i += 1) recent.add({ ...call, responseId: `later-${i}` });
    assert.equal(recent.take(sighting({ responseId: 'r-1', nowMs: 60_200 })), true);
    assert.equal(recent.take(sighting({ responseId: 'later-0', nowMs: 60_201 })), false);
    for (let i = 0; i < 50_000; i += 1) recent.add({ ...call, responseId: `then-${i}` });
    assert.equal(recent.take(sighting({ responseId: 'later-1' })), false);
    assert.equal(recent.take(sighting({ responseId: 'then-0' })), true);
    recent.add({ ...call, responseId: 'much-later', endedMs: 100_000 });
    assert.equal(recent.take(sighting({ responseId: 'then-1' })), false);
  });
});
