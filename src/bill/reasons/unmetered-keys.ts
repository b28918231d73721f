import type { Series } from '../comparison.ts';
import type { Sums } from '../sums.ts';

/** With more keys, not every set of them is tried. */
const MAX_KEYS = 14;
/** Fits beyond this many say no more: the figures are ambiguous. */
const MAX_FITS = 3;

/**
 * Sets of API keys (or projects) whose usage is exactly what the ledger lacks, on every day and for every
 * quantity. More than one set means that the figures do not tell which one is meant.
 */
export function keysThatFit(series: Series): readonly (readonly string[])[] {
  const { accounts, days, kinds, bill, ledger } = series;
  const coordinates = days.flatMap((day) => kinds.map((kind) => [day, kind] as const));
  const amounts = (of: ReadonlyMap<string, Sums>): readonly number[] =>
    coordinates.map(([day, kind]) => of.get(day)?.quantities.get(kind) ?? 0);
  const recorded = amounts(ledger);
  const gap = amounts(bill).map((amount, index) => amount - (recorded[index] ?? 0));
  if (gap.some((amount) => amount < 0) || gap.every((amount) => amount === 0)) return [];
  const keys = [...accounts]
    .map(([name, of]) => ({ name, usage: amounts(of) }))
    .filter(({ usage }) => usage.some((amount) => amount > 0));
  if (keys.length <= MAX_KEYS) return subsets(keys, gap);
  return keys.filter(({ usage }) => isSame(usage, gap)).map(({ name }) => [name]);
}

interface Key {
  readonly name: string;
  readonly usage: readonly number[];
}

function subsets(keys: readonly Key[], gap: readonly number[]): readonly (readonly string[])[] {
  const fits: string[][] = [];
  const search = (index: number, left: readonly number[], chosen: readonly string[]): void => {
    if (fits.length > MAX_FITS) return;
    if (left.every((amount) => amount === 0)) {
      fits.push([...chosen]);
      return;
    }
    const key = keys[index];
    if (key === undefined) return;
    const rest = left.map((amount, place) => amount - (key.usage[place] ?? 0));
    if (rest.every((amount) => amount >= 0)) search(index + 1, rest, [...chosen, key.name]);
    search(index + 1, left, chosen);
  };
  search(0, gap, []);
  return fits;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.every((amount, index) => amount === b[index]);
}
