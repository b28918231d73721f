import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { budgetJsonSchema, budgetProblem } from '../../src/budgets/index.ts';

const validate = new Ajv2020({ strict: false }).compile(budgetJsonSchema);

/** Right, wrong and nearly right values of each member. */
const names = fc.constantFrom(
  'alice',
  '',
  null,
  5,
  ['a', null],
  ['a', 'b'],
  [],
  [''],
  {},
  'gpt-5*',
);
const scope = fc.record(
  {
    each: fc.constantFrom(
      ['user'],
      ['user', 'dimension.feature'],
      ['user', 'user'],
      [],
      ['dimension.X'],
      'user',
    ),
    user: names,
    team: names,
    conversation: names,
    model: names,
    provider: names,
    dimensions: fc.constantFrom(
      { feature: 'x' },
      { feature: null },
      { Feature: 'x' },
      { f: 5 },
      [],
      {},
    ),
    teams: names,
  },
  { requiredKeys: [] },
);
const budget = fc.record(
  {
    scope: fc.oneof(scope, fc.constantFrom({}, null, [])),
    window: fc.constantFrom(
      'day',
      'year',
      { calendar: 'week' },
      { calendar: 'month', time_zone: 'Asia/Kathmandu' },
      { calendar: 'month', timeZone: 'UTC' },
      { calendar: 'year' },
      { rolling: '24h' },
      { rolling: 24 },
      { rolling: '24h', calendar: 'day' },
      {},
      null,
    ),
    limit: fc.constantFrom(
      { usd: 0.5 },
      { usd: 0 },
      { usd: 1e9 },
      { tokens: 1 },
      { tokens: 0.5 },
      { calls: 1e15 },
      { calls: '5' },
      { usd: 1, calls: 1 },
      { eur: 1 },
      {},
      5,
    ),
    at: fc.constantFrom([], [0.5, 1], [0], [11], ['1'], 0.5, Array<number>(11).fill(1)),
    mode: fc.constantFrom('warn', 'block', 'off', null),
    when_store_down: fc.constantFrom('allow', 'block', 'hold'),
    reserve: fc.constantFrom('max', 'counted', 'none', true),
    id: fc.constant('x'),
    whenStoreDown: fc.constant('allow'),
  },
  { requiredKeys: [] },
);

describe('the JSON Schema of budgets', () => {
  it('says of each definition what the check says', () => {
    const right = { window: 'day', limit: { usd: 1 } };
    assert.ok(validate(right) && budgetProblem('b', right) === undefined);
    const seen = { right: 0, wrong: 0 };
    fc.assert(
      fc.property(budget, fc.boolean(), fc.nat(), (members, isOneOff, pick) => {
        const entries = Object.entries(members);
        const one = entries.slice(pick % (entries.length + 1)).slice(0, 1);
        const json = isOneOff ? { ...right, ...Object.fromEntries(one) } : members;
        const problem = budgetProblem('b', json);
        seen[problem === undefined ? 'right' : 'wrong'] += 1;
        assert.equal(validate(json), problem === undefined, `${JSON.stringify(json)}: ${problem}`);
      }),
      { numRuns: 3000 },
    );
    assert.ok(seen.right > 30 && seen.wrong > 500, JSON.stringify(seen));
  });
});
