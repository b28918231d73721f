import { COST } from '../bill.ts';
import type { Series } from '../comparison.ts';
import { type CostDay, gapDays } from './cost-days.ts';
import type { PriceChange } from './price-change.ts';
import type { Finding } from './reason.ts';
import type { UsageReasons } from './usage-reasons.ts';

export function halfFinding(
  { model }: Series,
  half: ReadonlyMap<string, number>,
  alternatives: readonly string[],
): Finding {
  const total = [...half.values()].reduce((sum, cost) => sum + cost, 0);
  return {
    code: 'batch_tier',
    model,
    days: [...half.keys()].sort(),
    subject: 'batch',
    text: 'The bill has usage in a batch or flex tier, and half of its cost is the gap of every day: the ledger has these calls at the standard price.',
    costUsd: -total / 1e9,
    alternatives,
    about: 'cost',
  };
}

export function serviceFinding(
  { model }: Series,
  service: string,
  gaps: readonly CostDay[],
  alternatives: readonly string[],
): Finding {
  return {
    code: 'batch_tier',
    model,
    days: gaps.map(({ day }) => day),
    subject: `service ${service}`,
    text: `Half the cost of the calls of service ${service} is the gap of every day: they were probably billed at the half price of a batch or flex tier.`,
    costUsd: gapUsd(gaps),
    alternatives,
    about: 'cost',
  };
}

export function changeFinding(
  { model }: Series,
  change: PriceChange,
  days: readonly CostDay[],
  alternatives: readonly string[],
): Finding {
  const code = change.hasOldPrice ? 'price_changed' : 'price_differs';
  const gaps = gapDays(days);
  return {
    code,
    model,
    days: gaps.map(({ day }) => day),
    subject: `${model} ${change.from}`,
    text: `The quantities are equal, and ${changeText(change)}.`,
    costUsd: gapUsd(gaps),
    alternatives,
    about: 'cost',
  };
}

export function changeText({ from, until, hasOldPrice, change }: PriceChange): string {
  const span = hasOldPrice ? `from ${from} to ${until}` : 'in the whole range';
  if ('factor' in change) {
    return `the bill is ${(change.factor * 100).toFixed(2)} % of the ledger's cost ${span}`;
  }
  const prices = [...change.now].flatMap(([kind, now]) => {
    const before = change.before.get(kind) ?? 0;
    const isSame = Math.abs(now - before) <= 1e-3 * Math.max(now, before);
    return isSame ? [] : [`${kind} $${price(before)} → $${price(now)} per million`];
  });
  return `unit prices explain the bill ${span}: ${prices.join(', ')}`;
}

function price(usd: number): string {
  return String(Number(usd.toPrecision(4)));
}

/** A price cut to a half and a half-price tier look the same. */
export function halfAlternative({ change }: PriceChange): readonly string[] {
  return 'factor' in change && Math.abs(change.factor - 0.5) < 1e-3
    ? ['a batch or flex tier, which costs half']
    : [];
}

/** Only if each day with a gap, and no other, has calls without a price. */
export function unpricedFinding(
  { model, days }: Series,
  { ledger }: UsageReasons,
  gaps: readonly CostDay[],
): Finding | undefined {
  const lacks = (day: string): boolean => {
    const sums = ledger.get(day);
    return sums !== undefined && sums.unpricedCalls + sums.partialCalls > 0;
  };
  const withGap = new Set(gaps.map(({ day }) => day));
  if (gaps.some(({ bill, ledger: cost }) => bill < cost)) return undefined;
  if (days.some((day) => lacks(day) !== withGap.has(day))) return undefined;
  const missing = new Set(gaps.flatMap(({ day }) => [...(ledger.get(day)?.missing ?? [])]));
  const names = missing.size === 0 ? 'calls without a price' : [...missing].sort().join(', ');
  return {
    code: 'unpriced_usage',
    model,
    days: [...withGap],
    subject: names,
    text: `The ledger has usage without a price on just these days (${names}), so its cost is too low.`,
    costUsd: gapUsd(gaps),
    alternatives: [],
    about: 'cost',
  };
}

export function unexplained({ model }: Series, gaps: readonly CostDay[]): Finding {
  return {
    code: 'unexplained',
    model,
    days: gaps.map(({ day }) => day),
    subject: COST,
    text: 'The costs differ, and none of the reasons that were tested fits: price change, other price, half-price tier, usage without a price.',
    costUsd: gapUsd(gaps),
    alternatives: [],
    about: 'cost',
  };
}

function gapUsd(gaps: readonly CostDay[]): number {
  return gaps.reduce((sum, { bill, ledger }) => sum + bill - ledger, 0) / 1e9;
}
