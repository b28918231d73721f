import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AlertLevel, AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import { type AlertStateStore, MemoryAlertStates } from '../../../exporter/alerts/state-store.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';

const START = Date.parse('2026-11-24T00:00:00Z');
const WINDOW_MS = 3_600_000;

interface Step {
  /** Undefined: there are calls, but none has the number. */
  readonly value: number | undefined;
  readonly afterMs: number;
  /** Which instances look at the ledger, in which order. */
  readonly who: 'a' | 'b' | 'ab' | 'ba' | 'both at once';
  readonly event: 'none' | 'restart a' | 'restart b' | 'outage';
}

/** The definition, from the whole history of values instead of from a state. */
class Model {
  readonly changes: string[] = [];
  readonly #rule: AlertRule;
  readonly #history: { readonly at: number; readonly value: number }[] = [];
  #level: AlertLevel = 'ok';

  constructor(rule: AlertRule) {
    this.#rule = rule;
  }

  look(at: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#history.push({ at, value });
    const next = this.#next(at, value);
    if (next === this.#level) return;
    this.changes.push(`${this.#level} ${next}`);
    this.#level = next;
  }

  #next(now: number, value: number): AlertLevel {
    const { warning = 0, alert = 0, hysteresis = 0, forMs = 0 } = this.#rule;
    const share = 1 - hysteresis;
    if (this.#level === 'alert' && value >= alert * share) return 'alert';
    if (this.#level !== 'alert' && this.#heldMs(now, alert) >= forMs) return 'alert';
    if (this.#level !== 'ok' && value >= warning * share) return 'warning';
    if (this.#level === 'ok' && this.#heldMs(now, warning) >= forMs) return 'warning';
    return 'ok';
  }

  /** How long every value has been at the threshold; -1 if the last is not. */
  #heldMs(now: number, threshold: number): number {
    const below = this.#history.findLastIndex(({ value }) => value < threshold);
    const first = this.#history[below + 1];
    return first === undefined ? -1 : now - first.at;
  }
}

describe('alerts on a random walk', () => {
  const step = fc.record({
    value: fc.option(fc.constantFrom(0, 50, 90, 95, 100, 150, 180, 190, 200, 250), {
      nil: undefined,
      freq: 8,
    }),
    afterMs: fc.constantFrom(1000, 30_000, 60_000, 119_999, 120_000),
    who: fc.constantFrom('a', 'b', 'ab', 'ba', 'both at once'),
    event: fc.constantFrom('none', 'none', 'none', 'restart a', 'restart b', 'outage'),
  });
  const rules = fc.record({
    forMs: fc.constantFrom(0, 60_000, 120_000),
    hysteresis: fc.constantFrom(0, 0.05, 0.1, 0.5),
  });

  it('report the changes of the model, each under one id', async () => {
    await fc.assert(
      fc.asyncProperty(rules, fc.array(step, { maxLength: 40 }), async (options, steps) => {
        const rule: AlertRule = {
          name: 'walk',
          metric: 'totalTokens',
          windowMs: WINDOW_MS,
          warning: 100,
          alert: 200,
          ...options,
        };
        const model = new Model(rule);
        const { reported, hadOutage } = await walk(rule, steps as Step[], model);
        const first = new Map<string, UsageAlert>();
        for (const alert of reported) if (!first.has(alert.id)) first.set(alert.id, alert);
        const seen = [...first.values()].map(
          ({ previousLevel, level }) => `${previousLevel} ${level}`,
        );
        assert.deepEqual(seen, model.changes);
        if (!hadOutage) assert.equal(reported.length, first.size);
      }),
      { numRuns: 300 },
    );
  });
});

async function walk(
  rule: AlertRule,
  steps: readonly Step[],
  model: Model,
): Promise<{ readonly reported: readonly UsageAlert[]; readonly hadOutage: boolean }> {
  let now = START;
  let isAway = false;
  let hadOutage = false;
  const calls: LedgerCall[] = [];
  const reported: UsageAlert[] = [];
  const memory = new MemoryAlertStates();
  const unlessAway = async <R>(job: () => Promise<R>): Promise<R> => {
    if (isAway) throw new Error('away');
    return await job();
  };
  const states: AlertStateStore = {
    read: () => unlessAway(() => memory.read()),
    swap: (changes) => unlessAway(() => memory.swap(changes)),
  };
  const start = (): UsageAlerts =>
    new UsageAlerts({
      rules: [rule],
      reader: alertLedger(calls),
      states,
      now: () => now,
      onAlert: (alert) => reported.push(alert),
    });
  const running = { a: start(), b: start() };
  // Both know the store before it can go away.
  await running.a.evaluate();
  await running.b.evaluate();
  model.look(now, 0);
  for (const { value, afterMs, who, event } of steps) {
    if (event === 'outage') {
      // Both have looked since the last change, as they do every interval.
      await running.a.evaluate();
      await running.b.evaluate();
      isAway = true;
      hadOutage = true;
    }
    now += afterMs;
    calls.splice(0, calls.length, {
      atMs: now - 1,
      user: 'ann',
      ...(value !== undefined && { totalTokens: value }),
    });
    model.look(now, value);
    if (event === 'restart a') running.a = start();
    if (event === 'restart b') running.b = start();
    const order = isAway ? 'ab' : who;
    if (order === 'both at once') {
      await Promise.all([running.a.evaluate(), running.b.evaluate()]);
    } else {
      for (const one of order) await running[one as 'a' | 'b'].evaluate();
    }
    // What was changed during the outage reaches the store with the next look of each.
    if (isAway) {
      isAway = false;
      await running.a.evaluate();
      await running.b.evaluate();
    }
  }
  return { reported, hadOutage };
}
