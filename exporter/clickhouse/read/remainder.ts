import { SUM_KEYS, type Tally, type UsageSums, newTally } from '../../ledger/queries/usage-sums.ts';
import { USAGE_UNITS } from '../../../src/domain/billed-usage.ts';

const UNITS: ReadonlySet<string> = new Set(USAGE_UNITS);
const FLOATS: ReadonlySet<string> = new Set(['durationMs', 'outputDurationMs', 'firstChunkMs']);
/** A difference of sums of fractions that is smaller than this part of them is no more exact than 1e-10. */
const MIN_SHARE = 1e-5;

/**
 * What a total has beside some of its parts; undefined where the sums do not tell: a difference of 0 may be a known 0
 * or unknown, and small ones of fractions are not exact.
 */
export function remainder(total: UsageSums, parts: readonly Tally[]): UsageSums | undefined {
  const { sums } = newTally(false);
  const sumOf = (name: keyof UsageSums): number =>
    parts.reduce((sum, part) => sum + (part.sums[name] ?? 0), 0);
  const calls = total.calls - sumOf('calls');
  if (calls < 0) return undefined;
  if (calls === 0) return sums;
  for (const name of SUM_KEYS) {
    const all = total[name] ?? null;
    if (all === null) continue;
    const left = all - sumOf(name);
    const isCount = sums[name] === 0 && !FLOATS.has(name);
    const isWhole = Number.isInteger(all) && Number.isInteger(left);
    if (isCount) {
      if (left < 0) return undefined;
    } else if (FLOATS.has(name) || (UNITS.has(name) && !isWhole)) {
      if (all !== 0 && left < all * MIN_SHARE) return undefined;
    } else if (UNITS.has(name)) {
      // No call has none of a unit.
      if (left === 0) continue;
    } else if (left === 0) {
      return undefined;
    }
    sums[name] = left;
  }
  return sums;
}
