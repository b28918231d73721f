import assert from 'node:assert/strict';
import { stopBudgets } from '../../src/budgets/budgets-in-force.ts';
import { onBudgetShare } from '../../src/budgets/index.ts';
import {
  BudgetExceededError,
  budgetStatus,
  flush,
  meterChat,
  shutdown,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';

describe('budgets of an instrumentation', () => {
  const records: UsageRecord[] = [];
  const chat = meterChat(async (_input: object) => ({
    response: 'Twice a day',
    usage: { inputTokens: 10, outputTokens: 5 },
  }));
  let instrumentation: TokenMeterInstrumentation;

  before(async () => {
    await stopBudgets();
    instrumentation = new TokenMeterInstrumentation({
      userIdHashKey: 'key',
      dimensions: ['feature'],
      onUsage: (record) => records.push(record),
      budgets: [
        {
          id: 'configured',
          scope: { each: ['user', 'dimension.feature'] },
          window: 'day',
          limit: { calls: 2 },
          mode: 'block',
        },
      ],
    });
  });
  beforeEach(() => records.splice(0));
  after(async () => {
    instrumentation.disable();
    await shutdown();
  });

  const ask = (userId: string, feature = 'a'): Promise<unknown> =>
    withUsageContext({ userId, dimensions: { feature } }, () =>
      chat({ model: 'gpt-5', messages: [{ role: 'user', content: 'Hi' }] }),
    );

  it('refuse a call of meterChat, which is recorded as blocked and without tokens', async () => {
    await ask('alice');
    await ask('alice');
    await assert.rejects(ask('alice'), (error) => {
      assert.ok(error instanceof BudgetExceededError);
      assert.equal(error.budgetKey['dimension.feature'], 'a');
      assert.notEqual(error.budgetKey['user'], 'alice');
      return true;
    });
    await ask('alice', 'b');
    await ask('bob');
    await flush();
    assert.deepEqual(
      records.map(({ outcome, totalTokens, errorType }) => [outcome, totalTokens, errorType]),
      [
        ['ok', 15, undefined],
        ['ok', 15, undefined],
        ['blocked', undefined, 'budget_exceeded'],
        ['ok', 15, undefined],
        ['ok', 15, undefined],
      ],
    );
  });

  it('tell how much is left before a call', async () => {
    const [status] = await budgetStatus({ userId: 'alice', dimensions: { feature: 'a' } });
    assert.equal(status?.remaining, 0);
    assert.equal(status?.blocked, true);
    const [other] = await budgetStatus({ userId: 'carol', dimensions: { feature: 'a' } });
    assert.deepEqual([other?.remaining, other?.blocked, other?.stale], [2, false, false]);
  });

  it('find a user by the id that the application has, or by its hash', async () => {
    await ask('dave');
    await flush();
    const hash = records[0]?.userId;
    for (const user of ['dave', hash!]) {
      instrumentation.applyBudgets([
        { id: 'dave', scope: { user }, window: 'day', limit: { tokens: 1 }, mode: 'block' },
      ]);
      await assert.rejects(ask('dave'), BudgetExceededError);
      await ask('erin');
    }
  });

  it('are gone when all of them are taken away, and a wrong one changes nothing', async () => {
    assert.throws(() => instrumentation.applyBudgets([{ id: '' } as never]), {
      code: 'INVALID_OPTION',
    });
    await assert.rejects(ask('dave'), BudgetExceededError);
    instrumentation.applyBudgets([]);
    await ask('dave');
    assert.deepEqual(await budgetStatus({ userId: 'dave' }), []);
  });

  it('stay as applied when another instrumentation comes with its own', async () => {
    instrumentation.applyBudgets([
      { id: 'live', window: 'day', limit: { tokens: 1 }, mode: 'block' },
    ]);
    const other = new TokenMeterInstrumentation({
      budgets: [{ id: 'other', window: 'day', limit: { calls: 1000 } }],
    });
    try {
      assert.deepEqual(
        (await budgetStatus()).map(({ id }) => id),
        ['live'],
      );
    } finally {
      other.disable();
      instrumentation.applyBudgets([]);
    }
  });

  it('hold for an SDK call in meterChat that is longer than what the function was asked', async () => {
    const inner = meterChat(async (_input: object) => ({ response: 'x' }));
    const outer = meterChat((input: { readonly model: string }) =>
      inner({ ...input, messages: [{ role: 'user', content: 'tide '.repeat(10_000) }] }),
    );
    instrumentation.applyBudgets([
      { id: 'rag', window: 'day', limit: { tokens: 5000 }, mode: 'block' },
    ]);
    await assert.rejects(outer({ model: 'gpt-5' }), BudgetExceededError);
    await flush();
    assert.deepEqual(
      records.map(({ outcome }) => outcome),
      ['blocked'],
    );
    instrumentation.applyBudgets([]);
  });

  it('swallow the rejection of an async listener', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', note);
    let told = 0;
    const end = onBudgetShare(async () => {
      told += 1;
      await Promise.reject(new Error('listener'));
    });
    try {
      instrumentation.applyBudgets([{ id: 'told', window: 'day', limit: { calls: 1 } }]);
      await ask('alice');
      await flush();
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(told > 0);
      assert.deepEqual(rejections, []);
    } finally {
      end();
      process.off('unhandledRejection', note);
      for (const other of others) process.on('unhandledRejection', other);
      instrumentation.applyBudgets([]);
    }
  });

  it('hold for nothing while metering is off', async () => {
    instrumentation.applyBudgets([
      { id: 'live', window: 'day', limit: { tokens: 1 }, mode: 'block' },
    ]);
    instrumentation.applySettings({ enabled: false });
    await ask('alice');
    instrumentation.applySettings({ enabled: true });
    await assert.rejects(ask('alice'), BudgetExceededError);
    instrumentation.applyBudgets([]);
  });
});
