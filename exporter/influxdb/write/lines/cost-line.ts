import { isPlainTag } from './escaping.ts';
import { nanoseconds, tag } from './usage-line.ts';
import { USAGE_FIELDS, USAGE_MEASUREMENT } from '../../usage-schema.ts';

/**
 * The line that gives a stored call another cost: its series and time again, with this one field, which
 * servers merge with the fields they have. Undefined when no line can name the series: it would make a
 * new one. `time` is RFC 3339 with nine digits.
 */
export function costLine(
  tags: Readonly<Record<string, string>>,
  time: string,
  costUsd: number,
): string | undefined {
  let series = USAGE_MEASUREMENT;
  for (const [name, value] of Object.entries(tags)) {
    // A tag that the series does not have reads ''.
    if (value === '') continue;
    if (!isPlainTag(name) || !isPlainTag(value)) return undefined;
    series += tag(name, value);
  }
  return `${series} ${USAGE_FIELDS.costUsd}=${costUsd} ${nanoseconds(time)}`;
}
