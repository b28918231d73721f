import assert from 'node:assert/strict';
import { MetricAttributeSets } from '../../src/usage/emit/metric-attributes.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';

const RECORD: UsageRecord = {
  id: 'r-1',
  time: '2026-11-25T00:00:00.000000000Z',
  service: 'test',
  operation: 'chat',
  provider: 'openai',
  requestModel: 'gpt-4o',
  responseModel: 'gpt-4o-0806',
  durationMs: 1,
  outcome: 'ok',
  userId: 'ann',
  attributes: {},
};
const SERVER = { serverAddress: 'api.openai.com', serverPort: 443 };
const PLAIN = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.response.model': 'gpt-4o-0806',
  'server.address': 'api.openai.com',
  'server.port': 443,
  'token_meter.outcome': 'ok',
};

describe('MetricAttributeSets', () => {
  it('makes one set for calls that are alike, in the order of the names', () => {
    const sets = new MetricAttributeSets([]);
    const set = sets.of(RECORD, SERVER);
    assert.deepEqual(set.operation, PLAIN);
    assert.deepEqual(Object.keys(set.operation), Object.keys(PLAIN));
    assert.deepEqual(set.input, { ...PLAIN, 'gen_ai.token.type': 'input' });
    assert.deepEqual(set.output, { ...PLAIN, 'gen_ai.token.type': 'output' });
    assert.equal(sets.of({ ...RECORD, id: 'r-2' }, { ...SERVER }), set);
  });

  it('tells calls apart by whatever a point carries', () => {
    const sets = new MetricAttributeSets([]);
    const others: readonly (readonly [UsageRecord, typeof SERVER])[] = [
      [{ ...RECORD, operation: 'embeddings' }, SERVER],
      [{ ...RECORD, provider: 'groq' }, SERVER],
      [{ ...RECORD, requestModel: 'o3' }, SERVER],
      [{ ...RECORD, responseModel: 'o3' }, SERVER],
      [{ ...RECORD, outcome: 'error' }, SERVER],
      [{ ...RECORD, errorType: 'RateLimitError' }, SERVER],
      [{ ...RECORD, serviceTier: 'flex' }, SERVER],
      [RECORD, { ...SERVER, serverAddress: 'other' }],
      [RECORD, { ...SERVER, serverPort: 80 }],
    ];
    const first = sets.of(RECORD, SERVER);
    const made = others.map(([record, server]) => sets.of(record, server));
    assert.equal(new Set([first, ...made]).size, others.length + 1);
    assert.equal(
      new Set(made.map(({ operation }) => JSON.stringify(operation))).size,
      others.length,
    );
  });

  it('is right when more kinds of calls take turns than are kept', () => {
    const sets = new MetricAttributeSets([]);
    for (let i = 0; i < 100; i += 1) {
      const requestModel = `model-${i % 40}`;
      assert.equal(
        sets.of({ ...RECORD, requestModel }, SERVER).operation['gen_ai.request.model'],
        requestModel,
      );
    }
  });

  it('reads what the user opted into from each record, up to 200 values', () => {
    const sets = new MetricAttributeSets(['user.id']);
    assert.equal(sets.of(RECORD, SERVER).operation['user.id'], 'ann');
    assert.equal(sets.of({ ...RECORD, userId: 'bob' }, SERVER).operation['user.id'], 'bob');
    for (let i = 0; i < 198; i += 1) sets.of({ ...RECORD, userId: `user-${i}` }, SERVER);
    assert.equal(sets.of({ ...RECORD, userId: 'late' }, SERVER).operation['user.id'], '(other)');
    assert.equal(sets.of(RECORD, SERVER).operation['user.id'], 'ann');
  });
});
