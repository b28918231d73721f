import assert from 'node:assert/strict';
import { budgetFromJson, budgetProblem, budgetToJson } from '../../src/budgets/budget-json.ts';
import { checkBudgets } from '../../src/budgets/check-budget.ts';
import type { Budget } from '../../src/budgets/budget.ts';

const sound: Budget = {
  id: 'search.users',
  scope: { each: ['user', 'dimension.feature'], team: 'search', model: ['gpt-5*', 'o3'] },
  window: { calendar: 'month', timeZone: 'Asia/Kolkata' },
  limit: { usd: 2.5 },
  at: [0.5, 1, 1.2],
  mode: 'block',
  whenStoreDown: 'block',
  reserve: 'counted',
};

describe('the check of budgets', () => {
  it('passes sound ones as they are', () => {
    const budgets: Budget[] = [
      sound,
      { id: 'all', window: 'hour', limit: { tokens: 1 } },
      {
        id: 'r',
        scope: { user: null, dimensions: { a: ['x', null] } },
        window: { rolling: '24h' },
        limit: { calls: 3 },
      },
    ];
    assert.equal(checkBudgets(budgets)[0], sound);
    assert.equal(checkBudgets(budgets).length, 3);
  });

  const wrong: readonly [change: Record<string, unknown>, message: RegExp][] = [
    [{ id: '' }, /budgets\[0\]\.id is "";/],
    [{ id: 'a b' }, /\.id is "a b"; allowed: 1 to 128/],
    [{ id: 'audit' }, /none of audit, events, instances, passing/],
    [{ scope: [] }, /\.scope is \[\]/],
    [{ scope: { users: 'a' } }, /\.scope\.users is unknown; allowed: .*user/],
    [{ scope: { user: [] } }, /\.scope\.user is \[\]; allowed: a string or null, or a list/],
    [{ scope: { model: null } }, /\.scope\.model is null; allowed: a string, or a list/],
    [{ scope: { each: ['users'] } }, /\.scope\.each is \["users"\]; allowed: a list of 1 to 4/],
    [{ scope: { each: ['user', 'user'] } }, /\.scope\.each/],
    [{ scope: { each: [] } }, /\.scope\.each/],
    [{ scope: { each: ['dimension.A'] } }, /\.scope\.each/],
    [{ scope: { dimensions: { 'A b': 'x' } } }, /\.scope\.dimensions is "A b"/],
    [{ scope: { dimensions: { a: 1 } } }, /\.scope\.dimensions\.a is 1/],
    [{ window: undefined }, /\.window is undefined; allowed: hour, day, week, month/],
    [{ window: 'year' }, /\.window is "year"/],
    [{ window: { calendar: 'day', timeZone: 'Mars/Base' } }, /\.window\.timeZone is "Mars\/Base"/],
    [{ window: { calendar: 'day', time_zone: 'UTC' } }, /\.window\.time_zone is unknown/],
    [{ window: { rolling: '1m' } }, /\.window\.rolling is "1m"; allowed: whole minutes/],
    [{ window: { rolling: '24h', timeZone: 'UTC' } }, /\.window\.timeZone is unknown/],
    [{ limit: {} }, /\.limit is ""; allowed: exactly one of usd, tokens, calls/],
    [{ limit: { usd: 1, calls: 1 } }, /\.limit is "usd and calls"/],
    [{ limit: { usd: 0 } }, /\.limit\.usd is 0; allowed: dollars from/],
    [{ limit: { usd: Number.NaN } }, /\.limit\.usd is null/],
    [{ limit: { usd: 1e7 } }, /\.limit\.usd/],
    [{ limit: { tokens: 1.5 } }, /\.limit\.tokens is 1\.5; allowed: a whole number/],
    [{ at: [0] }, /\.at is \[0\]; allowed: a list of at most 10 shares/],
    [{ mode: 'stop' }, /\.mode is "stop"; allowed: warn or block/],
    [{ whenStoreDown: 'open' }, /\.whenStoreDown is "open"; allowed: allow or block/],
    [{ reserve: 'most' }, /\.reserve is "most"; allowed: max or counted or none/],
    [{ limits: { usd: 1 } }, /\.limits is unknown/],
  ];
  for (const [change, message] of wrong) {
    it(`refuses ${JSON.stringify(change)}`, () => {
      assert.throws(() => checkBudgets([{ ...sound, ...change }]), {
        code: 'INVALID_OPTION',
        message,
      });
    });
  }

  it('refuses two of one id, and what is no list', () => {
    assert.throws(
      () => checkBudgets([sound, sound]),
      /budgets\[1\]\.id is "search\.users"; allowed: unique/,
    );
    assert.throws(() => checkBudgets({ sound }), /budgets is .*; allowed: a list/);
  });
});

describe('the JSON of a budget', () => {
  it('is read and written without loss', () => {
    const { id, ...rest } = budgetToJson(sound) as unknown as Record<string, unknown>;
    assert.equal(id, undefined);
    assert.deepEqual(rest['window'], { calendar: 'month', time_zone: 'Asia/Kolkata' });
    assert.equal(rest['when_store_down'], 'block');
    assert.deepEqual(budgetFromJson('search.users', rest), sound);
  });

  it('has the names of JSON in what is wrong', () => {
    const json = { window: 'day', limit: { usd: 1 } };
    assert.equal(budgetProblem('x', json), undefined);
    assert.match(budgetProblem('x', { ...json, whenStoreDown: 'allow' })!, /when_store_down/);
    assert.match(budgetProblem('x', null)!, /x is null; allowed: an object/);
    const window = { calendar: 'day', time_zone: 3 };
    assert.match(budgetProblem('x', { ...json, window })!, /x\.window\.time_zone is 3/);
  });
});
