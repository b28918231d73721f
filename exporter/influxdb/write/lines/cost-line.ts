import type { CostChange } from '../../../ledger/reprice-tally.ts';
import { isPlainTag, quoteString } from './escaping.ts';
import { nanoseconds, tag } from './usage-line.ts';
import { USAGE_FIELDS, USAGE_MEASUREMENT } from '../../usage-schema.ts';

/**
 * The line that gives a stored call another cost: its series and time again, with the fields of the
 * cost, which servers merge with the fields they have. No write takes a field away: `cost_missing` is
 * overwritten by an empty text, which readers take as absent. Undefined when no line can name the series:
 * it would make a new one. `time` is RFC 3339 with nine digits.
 */
export function costLine(
  tags: Readonly<Record<string, string>>,
  time: string,
  { now, source, missing }: CostChange,
  hadMissing: boolean,
): string | undefined {
  let series = USAGE_MEASUREMENT;
  for (const [name, value] of Object.entries(tags)) {
    // A tag that the series does not have reads ''.
    if (value === '') continue;
    if (!isPlainTag(name) || !isPlainTag(value)) return undefined;
    series += tag(name, value);
  }
  let fields = `${USAGE_FIELDS.costUsd}=${now / 1e9},${USAGE_FIELDS.costSource}="${source}"`;
  if (missing.length > 0 || hadMissing) {
    fields += `,${USAGE_FIELDS.costMissing}=${quoteString(missing.join(' ')) ?? '""'}`;
  }
  return `${series} ${fields} ${nanoseconds(time)}`;
}
