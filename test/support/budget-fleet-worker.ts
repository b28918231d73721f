import { setTimeout as sleep } from 'node:timers/promises';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { meterChat, TokenMeterInstrumentation } from '../../src/index.ts';
import type { Budget } from '../../src/budgets/budget.ts';

/** One process of a fleet: calls at a steady rate until it has been told to stop, and reports what became of them. */
const [url = '', rate = '500', budget = '{}'] = process.argv.slice(2);
const counts = { ok: 0, blocked: 0, recordedBlocked: 0 };
const instrumentation = new TokenMeterInstrumentation({
  budgetStore: new RedisBudgetStore({ url }),
  budgets: [JSON.parse(budget) as Budget],
  onUsage: ({ outcome }) => {
    if (outcome === 'blocked') counts.recordedBlocked += 1;
  },
});
const chat = meterChat(async (_input: object) => {
  await sleep(5);
  return { response: 'x', usage: { inputTokens: 1, outputTokens: 1 } };
});
let isRunning = false;
process.on('message', (message) => {
  if (message === 'start') {
    isRunning = true;
    void run();
  } else if (message === 'stop') {
    isRunning = false;
    setTimeout(() => process.exit(0), 500);
  }
});
setInterval(() => process.send?.({ ...counts }), 20);
process.send?.('up');

async function run(): Promise<void> {
  const began = performance.now();
  for (let made = 0; isRunning;) {
    const due = ((performance.now() - began) * Number(rate)) / 1000;
    // A machine that is too slow for the rate makes fewer calls, not a burst of them.
    for (let burst = 0; made < due && burst < 20; made++, burst++) void one();
    if (made < due) made = Math.floor(due);
    await sleep(2);
  }
  instrumentation.disable();
}

async function one(): Promise<void> {
  try {
    await chat({ model: 'gpt-5', messages: 'x' });
    counts.ok += 1;
  } catch {
    counts.blocked += 1;
  }
}
