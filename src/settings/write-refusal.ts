import { TokenMeterError } from '../errors.ts';
import type { PassingChanges } from './passing-changes.ts';

const YEAR_MS = 366 * 86_400_000;

interface Held {
  readonly values: Readonly<Record<string, unknown>>;
  readonly passing: PassingChanges;
}

/** Why there would be too many values, by the names that have one or will have one again; undefined when not. */
export type TooMany = (
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
) => string | undefined;

/** Of a write whose end is none ahead, by the time of the store. */
export function refusedEnd(until: string | undefined, time: string): TokenMeterError | undefined {
  if (until === undefined) return undefined;
  const left = Date.parse(until) - Date.parse(time);
  if (left > 0 && left <= YEAR_MS) return undefined;
  return new TokenMeterError('INVALID_SETTINGS', 'until must be a time within the next year', {
    value: until,
    allowed: 'from now to a year ahead',
  });
}

/** Of a write that would leave too many values. */
export function refusedNumber(
  before: Held,
  after: Held,
  { tooMany, defaults }: { readonly tooMany?: TooMany; readonly defaults: Held['values'] },
): TokenMeterError | undefined {
  const problem = tooMany?.(namesOf(before, defaults), namesOf(after, defaults));
  return problem === undefined ? undefined : new TokenMeterError('INVALID_SETTINGS', problem);
}

/** Those that have a value, or will have one again when the time of another one is over. */
function namesOf({ values, passing }: Held, defaults: Held['values']): ReadonlySet<string> {
  const returning = Object.keys(passing).filter((name) => passing[name]?.after !== null);
  return new Set([...Object.keys(defaults), ...Object.keys(values), ...returning]);
}
