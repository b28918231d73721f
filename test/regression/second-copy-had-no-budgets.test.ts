import assert from 'node:assert/strict';
import * as first from '../../src/budgets/budgets-in-force.ts';

const ANOTHER_COPY = '../../src/budgets/budgets-in-force.ts?copy';

/** As where the package is preloaded and bundled into the application too: its calls were not limited. */
describe('budgets with two copies of the package', () => {
  after(async () => await first.stopBudgets());

  it('are those of the process', async () => {
    const second = (await import(ANOTHER_COPY)) as typeof first;
    assert.notEqual(second.applyBudgets, first.applyBudgets);
    first.applyBudgets([{ id: 'calls', window: 'day', limit: { calls: 1 }, mode: 'block' }], {
      isDecision: true,
      store: undefined,
      priceOf: () => undefined,
      identify: (call) => call,
    });
    const call = { userId: 'alice', provider: 'openai', model: 'gpt-5' };
    const size = { operation: 'chat', request: {}, inputOnly: false };
    const reserve = (copy: typeof first) => copy.currentBudgets()?.reserve(call, size, true, []);
    assert.ok('release' in (reserve(first) ?? {}));
    assert.ok('budgetId' in (reserve(second) ?? {}));
    assert.equal((await second.budgetStatus())[0]?.reserved, 1);
  });
});
