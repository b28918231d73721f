import { COST, type Bill, type BillLine } from './bill.ts';
import {
  addLedgerSums,
  emptyLedgerSums,
  type LedgerFigures,
  type LedgerSums,
} from './ledger-figures.ts';
import { billModelNames } from './model-names.ts';
import { comparableKinds } from './other-units.ts';
import { addCost, addQuantity, at, emptySums, type Sums } from './sums.ts';

/** Usage and cost that the bill gives for all models together. */
const ALL_MODELS = '(all models)';

const NO_COST: Sums = emptySums();

/** The figures of one model, day by day, on both sides. */
export interface Series {
  readonly model: string;
  readonly days: readonly string[];
  /** Quantities that the bill has. */
  readonly kinds: readonly string[];
  readonly hasCost: boolean;
  readonly bill: ReadonlyMap<string, Sums>;
  readonly ledger: ReadonlyMap<string, LedgerSums>;
  /** The bill by API key, project or workspace; empty if it is not grouped. */
  readonly accounts: ReadonlyMap<string, ReadonlyMap<string, Sums>>;
  /** Lines of tiers that cost half, of the models of this series. */
  readonly half: readonly BillLine[];
  /** Days with costs of which the bill does not say the usage. */
  readonly unknownUsage: ReadonlySet<string>;
  /** Largest difference of cost on a day that roundings can make, nano-dollars. */
  readonly tolerance: (day: string) => number;
}

export interface Range {
  /** Inclusive. */
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

export interface Comparison {
  readonly series: readonly Series[];
  /** The ledger of a series with days that are `offsetHours` ahead of UTC. */
  shifted(series: Series, offsetHours: number): ReadonlyMap<string, LedgerSums>;
  /** Models of the bill that are another name of one in the ledger. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly unit: 'day' | 'month';
  /** The ledger in the range, by day (or month) and model. */
  readonly recorded: ReadonlyMap<string, ReadonlyMap<string, LedgerSums>>;
  /** Lines of the bill that are not in the range. */
  readonly linesOutside: number;
  /** Days of models whose usage is not compared, since the bill has it in part. */
  readonly daysInPart: number;
}

const HALF_PRICE: ReadonlySet<string> = new Set(['batch', 'flex', 'flex_discount']);

/** Sets a bill beside the ledger. */
export function compare(bill: Bill, ledger: LedgerFigures, range: Range): Comparison {
  const unit = bill.lines.some(({ day }) => day.length === 7) ? 'month' : 'day';
  const length = unit === 'month' ? 7 : 10;
  const days = bucketsOf(range, unit);
  const inRange = new Set(days);
  const bucketOf = (time: Date): string | undefined => {
    const day = time.toISOString().slice(0, length);
    return inRange.has(day) ? day : undefined;
  };
  const lines = bill.lines.filter(({ day }) => inRange.has(day.slice(0, length)));
  const recorded = ledger.sums(bucketOf);
  const ledgerModels = new Set([...recorded.values()].flatMap((models) => [...models.keys()]));
  const aliases = billModelNames(lines, ledgerModels);
  const named = lines.map((line): BillLine => {
    const { model } = line;
    const day = line.day.slice(0, length);
    return model === undefined
      ? { ...line, day }
      : { ...line, day, model: aliases.get(model) ?? model };
  });
  const levels = levelsOf(named);
  const models = new Set([
    ...(levels.byModel.size > 0 ? ledgerModels : []),
    ...named.flatMap(({ model }) => model ?? []),
    ...(levels.all.size > 0 ? [ALL_MODELS] : []),
  ]);
  const ledgerOf = (
    model: string,
    sums: ReadonlyMap<string, ReadonlyMap<string, LedgerSums>>,
  ): ReadonlyMap<string, LedgerSums> => {
    const byDay = new Map<string, LedgerSums>();
    for (const [day, byModel] of sums) {
      for (const [name, each] of byModel) {
        if (model !== ALL_MODELS && name !== model) continue;
        addLedgerSums(at(byDay, day, emptyLedgerSums), each);
      }
    }
    return byDay;
  };
  const whole = [...models]
    .sort()
    .map((model) =>
      seriesOf(model, days, named, levels, ledgerOf(model, recorded), bill.costDecimals),
    );
  const inPart = bill.isChargesOnly === true ? whole.map((each) => daysInPart(each)) : [];
  const series = whole.map((each, index) => withoutUsage(each, inPart[index] ?? new Set()));
  // Every series with a gap asks for the same shifts.
  const shifts = new Map<number, ReturnType<LedgerFigures['sums']>>();
  return {
    series,
    aliases,
    unit,
    recorded,
    linesOutside: bill.lines.length - lines.length,
    daysInPart: inPart.reduce((sum, { size }) => sum + size, 0),
    shifted: ({ model }, offsetHours) =>
      ledgerOf(
        model,
        at(shifts, offsetHours, () => ledger.sums(bucketOf, offsetHours)),
      ),
  };
}

/** Kinds that the bill gives by model, and those that some line gives for all models together. */
interface Levels {
  readonly byModel: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
}

function levelsOf(lines: readonly BillLine[]): Levels {
  const all = new Set<string>();
  const seen = new Set<string>();
  for (const { model, kind, quantity, costUsd } of lines) {
    // A 0 counts for its model alone: other models may have this kind in another place.
    if (kind !== undefined && quantity) {
      seen.add(kind);
      if (model === undefined) all.add(kind);
    }
    if (costUsd !== undefined) seen.add(COST);
    if (costUsd && model === undefined) all.add(COST);
  }
  return { all, byModel: new Set([...seen].filter((kind) => !all.has(kind))) };
}

function seriesOf(
  model: string,
  days: readonly string[],
  lines: readonly BillLine[],
  levels: Levels,
  ledger: ReadonlyMap<string, LedgerSums>,
  costDecimals: number | undefined,
): Series {
  const isAll = model === ALL_MODELS;
  const kinds = new Set(isAll ? levels.all : levels.byModel);
  const bill = new Map<string, Sums>();
  const accounts = new Map<string, Map<string, Sums>>();
  const half: BillLine[] = [];
  const unknownUsage = new Set<string>();
  for (const line of lines) {
    if (!isAll && line.model !== model) continue;
    const { day, kind, quantity, costUsd, account, tier } = line;
    if (line.isUsageUnknown === true) unknownUsage.add(day);
    if (kind !== undefined && quantity === 0 && !isAll && !levels.all.has(kind)) kinds.add(kind);
    const into = [at(bill, day, emptySums)];
    if (account !== undefined && (quantity || costUsd)) {
      into.push(
        at(
          at(accounts, account, () => new Map<string, Sums>()),
          day,
          emptySums,
        ),
      );
    }
    for (const sums of into) {
      if (kind !== undefined && quantity && kinds.has(kind)) {
        addQuantity(sums, kind, quantity);
      }
      if (costUsd !== undefined && kinds.has(COST)) addCost(sums, Math.round(costUsd * 1e9));
    }
    if (tier !== undefined && HALF_PRICE.has(tier) && quantity) half.push(line);
  }
  const rounding = costDecimals === undefined ? 0.5 : 0.5 * 10 ** (9 - costDecimals);
  return {
    model,
    days,
    kinds: comparableKinds(
      [...kinds].filter((kind) => kind !== COST),
      bill,
      ledger,
    ),
    hasCost: kinds.has(COST),
    bill,
    ledger,
    accounts,
    half,
    unknownUsage,
    tolerance: (day) =>
      1 +
      (bill.get(day) ?? NO_COST).costLines * rounding +
      (ledger.get(day) ?? NO_COST).costLines * 0.5,
  };
}

/** Days on which the charges of a bill do not show all usage: some of it has no price, or no quantity. */
function daysInPart({ days, ledger, unknownUsage }: Series): ReadonlySet<string> {
  return new Set(
    days.filter((day) => {
      const sums = ledger.get(day);
      const unpriced = (sums?.unpricedCalls ?? 0) + (sums?.partialCalls ?? 0);
      return unpriced > 0 || unknownUsage.has(day);
    }),
  );
}

/** The series with nothing but costs on these days. */
function withoutUsage(series: Series, days: ReadonlySet<string>): Series {
  if (days.size === 0) return series;
  const costs = <S extends Sums>(sums: ReadonlyMap<string, S>): ReadonlyMap<string, S> =>
    new Map(
      [...sums].map(([day, each]) => [
        day,
        days.has(day) ? { ...each, quantities: new Map() } : each,
      ]),
    );
  return { ...series, bill: costs(series.bill), ledger: costs(series.ledger) };
}

function bucketsOf({ from, to }: Range, unit: 'day' | 'month'): readonly string[] {
  const buckets = new Set<string>();
  for (let time = from.getTime(); time < to.getTime(); time += 86_400_000) {
    buckets.add(new Date(time).toISOString().slice(0, unit === 'month' ? 7 : 10));
  }
  return [...buckets];
}
