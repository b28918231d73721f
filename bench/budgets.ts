/**
 * Microseconds that budgets add to one call: reserve before it, settle with its record. With 0, 1 and 20 budgets in force,
 * alone and with the account's lease from Redis (`REDIS_URL`). Variants take turns; the median of the rounds is printed.
 */
import { performance } from 'node:perf_hooks';
import { BudgetEngine } from '../src/budgets/budget-engine.ts';
import type { Budget } from '../src/budgets/budget.ts';
import { RedisBudgetStore } from '../src/budgets/stores/redis.ts';

const CALLS = 20_000;
const ROUNDS = 15;
const USERS = 1000;

const size = {
  operation: 'chat',
  request: {
    model: 'gpt-5',
    max_tokens: 200,
    messages: [
      { role: 'system', content: 'You answer questions about tides in two sentences. '.repeat(8) },
      { role: 'user', content: 'How often does the tide come in at Brighton?' },
    ],
  },
  inputOnly: false,
};

function budgets(count: number): readonly Budget[] {
  return Array.from({ length: count }, (_, index): Budget => {
    const scopes: readonly Budget['scope'][] = [
      { each: ['user'] },
      { team: 'search' },
      { each: ['team'], model: 'gpt-5*' },
      {},
    ];
    const limits: readonly Budget['limit'][] = [{ usd: 1e6 }, { tokens: 1e12 }, { calls: 1e12 }];
    return {
      id: `b${index}`,
      scope: scopes[index % 4]!,
      window: index % 5 === 4 ? { rolling: '24h' } : 'month',
      limit: limits[index % 3]!,
      mode: 'block',
    };
  });
}

function start(count: number, url?: string) {
  const engine = new BudgetEngine({
    store:
      url === undefined ? undefined : new RedisBudgetStore({ url, keyPrefix: `bench-${count}` }),
    priceOf: (_call, { input, output }) => input * 1250 + output * 10_000,
    onShare: () => undefined,
  });
  engine.apply(budgets(count));
  let call = 0;
  return {
    name: `${count} budgets${url === undefined ? '' : ', Redis'}`,
    engine,
    run: (): number => {
      const began = performance.now();
      for (let index = 0; index < CALLS; index++) {
        call += 1;
        const named = {
          userId: `u${call % USERS}`,
          team: 'search',
          provider: 'openai',
          model: 'gpt-5',
        };
        // As on the path: nothing is asked where there are no budgets.
        if (engine.isEmpty) continue;
        const answer = engine.reserve(named, size, true, []);
        if (answer !== undefined && 'budgetId' in answer) throw new Error(answer.budgetId);
        engine.charge(
          {
            ...named,
            requestModel: 'gpt-5',
            outcome: 'ok',
            inputTokens: 120,
            outputTokens: 80,
            totalTokens: 200,
            costUsd: 0.00095,
          } as never,
          answer,
        );
      }
      return ((performance.now() - began) * 1000) / CALLS;
    },
  };
}

const url = process.env['REDIS_URL'];
const variants = [0, 1, 20].map((count) => start(count));
if (url !== undefined) variants.push(start(20, url));
const times = new Map(variants.map(({ name }) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, run } of variants) {
    times.get(name)!.push(run());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
for (const [name, all] of times) {
  const sorted = all.slice(3).toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  console.log(`${name.padEnd(20)} ${median.toFixed(2)} µs a call (least ${sorted[0]?.toFixed(2)})`);
}
await Promise.all(variants.map(({ engine }) => engine.stop()));
