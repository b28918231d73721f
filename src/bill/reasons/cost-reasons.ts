import type { Series } from '../comparison.ts';
import { addQuantity, at, emptySums, type Sums } from '../sums.ts';
import { type CostDay, gapDays, isSameCost } from './cost-days.ts';
import {
  changeFinding,
  changeText,
  halfAlternative,
  halfFinding,
  serviceFinding,
  unexplained,
  unpricedFinding,
} from './cost-findings.ts';
import { priceChange } from './price-change.ts';
import type { Finding } from './reason.ts';
import type { UsageReasons } from './usage-reasons.ts';

/** Cost of the quantities of a model on a day at the ledger's prices, in nano-dollars. */
export type CostOfQuantities = (
  model: string,
  day: string,
  quantities: ReadonlyMap<string, number>,
) => number | undefined;

/** Quantities that make the cost of a call. */
const COUNTED = [
  'uncached_input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'output_tokens',
  'web_searches',
];

/** Tests why the costs of a series differ, if they do, after its quantities were explained. */
export function costReasons(
  series: Series,
  usage: UsageReasons,
  costOf: CostOfQuantities,
): readonly Finding[] {
  if (!series.hasCost) return [];
  const days = costDays(series, usage, costOf);
  const gaps = gapDays(days);
  if (gaps.length === 0) return [];
  const half = halfOff(series, usage, costOf);
  const halfDays = days.map((day) => ({ ...day, ledger: day.ledger - (half.get(day.day) ?? 0) }));
  const isHalf = half.size > 0 && gapDays(halfDays).every((day) => fits(day));
  const change = priceChange(days);
  const service = serviceAtHalf(series, usage, days);
  if (isHalf) {
    const alternatives = change === undefined ? [] : [changeText(change)];
    return [halfFinding(series, half, alternatives)];
  }
  const both = half.size > 0 ? priceChange(halfDays) : undefined;
  if (both !== undefined && change === undefined) {
    return [halfFinding(series, half, []), changeFinding(series, both, halfDays, [])];
  }
  if (service !== undefined) {
    const alternatives = change === undefined ? [] : [changeText(change)];
    return [serviceFinding(series, service, gaps, alternatives)];
  }
  if (change !== undefined) return [changeFinding(series, change, days, halfAlternative(change))];
  return [unpricedFinding(series, usage, gaps) ?? unexplained(series, gaps)];
}

function fits({ bill, ledger, tolerance }: CostDay): boolean {
  return isSameCost(bill, ledger, tolerance);
}

/** Costs without those of unmetered keys, on days whose quantities are explained. */
function costDays(
  series: Series,
  { ledger, unmetered, open }: UsageReasons,
  costOf: CostOfQuantities,
): readonly CostDay[] {
  const { days, bill, accounts, tolerance, model } = series;
  return days
    .filter((day) => !open.has(day))
    .map((day): CostDay => {
      const sums = ledger.get(day);
      const ofKeys = unmetered.reduce((total, key) => {
        const usage = accounts.get(key)?.get(day);
        if (usage === undefined) return total;
        return total + (usage.cost ?? costOf(model, day, usage.quantities) ?? 0);
      }, 0);
      const counts = COUNTED.map((kind) => [kind, sums?.quantities.get(kind) ?? 0] as const);
      return {
        day,
        bill: (bill.get(day)?.cost ?? 0) - ofKeys,
        ledger: sums?.cost ?? 0,
        tolerance: tolerance(day),
        counts: new Map(counts),
      };
    });
}

/** Half the cost of what the bill has in a half-price tier, by day. */
function halfOff(
  { half }: Series,
  { unmetered }: UsageReasons,
  costOf: CostOfQuantities,
): ReadonlyMap<string, number> {
  const byModel = new Map<string, Map<string, Sums>>();
  for (const { model, day, kind, quantity, account } of half) {
    if (model === undefined || kind === undefined || quantity === undefined) continue;
    if (account !== undefined && unmetered.includes(account)) continue;
    const sums = at(
      at(byModel, model, () => new Map<string, Sums>()),
      day,
      emptySums,
    );
    addQuantity(sums, kind, quantity);
  }
  const found = new Map<string, number>();
  for (const [model, days] of byModel) {
    for (const [day, { quantities }] of days) {
      const cost = costOf(model, day, quantities);
      if (cost === undefined) return new Map();
      found.set(day, (found.get(day) ?? 0) + cost / 2);
    }
  }
  return found;
}

/** The one service the half of whose cost is the gap of every day. */
function serviceAtHalf(
  series: Series,
  { ledger }: UsageReasons,
  days: readonly CostDay[],
): string | undefined {
  const services = new Set([...ledger.values()].flatMap((sums) => [...sums.services.keys()]));
  // Half of everything is a factor, which is tested as such.
  if (services.size < 2 || series.half.length > 0) return undefined;
  const fitting = [...services].filter((service) =>
    days.every((day) => {
      const cost = ledger.get(day.day)?.services.get(service) ?? 0;
      return isSameCost(day.bill, day.ledger - cost / 2, day.tolerance);
    }),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}
