import { isDimensionName } from '../../src/domain/dimensions.ts';
import { type Outcome, OUTCOMES } from '../../src/domain/usage-record.ts';
import type { UsageFilter } from '../ledger/usage-query.ts';
import { objectOf, refuse } from './rule-values.ts';

/** Whether `null` is a value: calls without one. */
const FILTERS: Readonly<Record<Exclude<keyof UsageFilter, 'dimensions'>, boolean>> = {
  user: true,
  model: false,
  conversation: true,
  provider: false,
  outcome: false,
  service: false,
  team: true,
  error: true,
  agent: true,
  run: true,
  tool: true,
};
/** The filter of a rule; throws as `checkAlertRules` does. */
export function checkFilter(value: unknown, at: string): void {
  const members = [...Object.keys(FILTERS), 'dimensions'];
  const { dimensions, ...filter } = objectOf<Record<string, unknown>>(value, at, members);
  if (dimensions !== undefined) checkDimensions(dimensions, `${at}.dimensions`);
  for (const [key, wanted] of Object.entries(filter)) {
    if (wanted === undefined) continue;
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    const mayBeNull = FILTERS[key as keyof typeof FILTERS];
    const isRight = (one: unknown): boolean =>
      key === 'outcome' ? OUTCOMES.includes(one as Outcome) : isText(one, mayBeNull);
    if (values.length > 0 && values.every(isRight)) continue;
    const each = key === 'outcome' ? OUTCOMES.join(', ') : `a string${mayBeNull ? ' or null' : ''}`;
    refuse(`${at}.${key}`, wanted, `${each}, or a list of them`);
  }
}

const isText = (value: unknown, mayBeNull: boolean): boolean =>
  typeof value === 'string' || (value === null && mayBeNull);

function checkDimensions(value: unknown, at: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(at, value, 'an object');
  }
  for (const [name, wanted] of Object.entries(value as object)) {
    if (!isDimensionName(name)) refuse(at, name, 'by names of dimensions');
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    if (values.length > 0 && values.every((one) => isText(one, true))) continue;
    refuse(`${at}.${name}`, wanted, 'a string or null, or a list of them');
  }
}
