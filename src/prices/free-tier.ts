import type { BilledUsage } from '../domain/billed-usage.ts';
import { objectsAt, onlyMembers, fileProblem, positiveNumber } from './file-problem.ts';
import { parseScope, type Scope, SCOPE_MEMBERS, type ScopedCall } from './scope.ts';

const LIMITS = ['calls', 'tokens', 'inputTokens', 'outputTokens'] as const;
type Limit = (typeof LIMITS)[number];

/** An amount per day or month (UTC) that costs nothing. */
export interface FreeTier {
  /** `freeTiers[0]`. */
  readonly where: string;
  readonly scope: Scope;
  readonly per: 'day' | 'month';
  readonly limit: Limit;
  readonly amount: number;
}

export function parseFreeTiers(content: Readonly<Record<string, unknown>>): readonly FreeTier[] {
  return objectsAt(content, 'freeTiers').map(([where, entry]) => {
    onlyMembers(entry, where, [...SCOPE_MEMBERS, 'per', ...LIMITS]);
    const { per } = entry;
    if (per !== 'day' && per !== 'month') return fileProblem(`${where}.per`, per, 'day or month');
    const given = LIMITS.filter((limit) => entry[limit] !== undefined);
    const [limit, ...more] = given;
    if (limit === undefined || more.length > 0) {
      return fileProblem(where, given.join(), `an object with one of ${LIMITS.join()}`);
    }
    const amount = positiveNumber(entry[limit], `${where}.${limit}`, 'a number above 0');
    const scope = parseScope(entry, where, { needsModel: false });
    return { where, scope, per, limit, amount };
  });
}

/**
 * Counts what free tiers have covered. A tier is used up by all calls in the order of their time, in
 * whichever process they were made, so it can be applied only where all of them are read: by `reprice`.
 */
export class FreeTierUse {
  readonly #tiers: readonly FreeTier[];
  /** By tier and period. */
  readonly #used = new Map<string, number>();

  constructor(tiers: readonly FreeTier[]) {
    this.#tiers = tiers;
  }

  /**
   * Share of the call that is billed, from 0 (free) to 1. Calls must come in the order of their time. The
   * call that exceeds a tier is billed in proportion. The first tier that fits counts.
   */
  billedShare(call: ScopedCall, usage: BilledUsage): number {
    const tier = this.#tiers.find(({ scope }) => scope.fits(call));
    if (tier === undefined) return 1;
    const size = sizeOf(usage, tier.limit);
    const period = new Date(call.time).toISOString().slice(0, tier.per === 'day' ? 10 : 7);
    const key = `${tier.where} ${period}`;
    const used = this.#used.get(key) ?? 0;
    this.#used.set(key, used + size);
    if (size === 0) return 1;
    return Math.min(1, Math.max(0, used + size - tier.amount) / size);
  }
}

function sizeOf({ inputTokens = 0, outputTokens = 0 }: BilledUsage, limit: Limit): number {
  switch (limit) {
    case 'calls':
      return 1;
    case 'inputTokens':
      return inputTokens;
    case 'outputTokens':
      return outputTokens;
    case 'tokens':
      return inputTokens + outputTokens;
  }
}

/** The start of a day or month, or undefined when `time` is none: with it a tier would be counted in part. */
export function isPeriodStart(tiers: readonly FreeTier[], time: Date): boolean {
  const text = time.toISOString();
  return (
    text.endsWith('T00:00:00.000Z') &&
    (text.slice(8, 10) === '01' || tiers.every(({ per }) => per === 'day'))
  );
}
