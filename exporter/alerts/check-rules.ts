import { isDimensionName } from '../../src/domain/dimensions.ts';
import { type Outcome, OUTCOMES } from '../../src/domain/usage-record.ts';
import { TokenMeterError } from '../../src/errors.ts';
import { isDimensionKey } from '../ledger/queries/dimension-key.ts';
import type { UsageFilter } from '../ledger/usage-query.ts';
import type { AlertLevel, AlertMetric, AlertRule } from './alert-rule.ts';

const METRICS: readonly string[] = [
  'totalTokens',
  'inputTokens',
  'outputTokens',
  'costUsd',
  'calls',
] satisfies AlertMetric[];
const LEVELS: readonly string[] = ['ok', 'warning', 'alert'] satisfies AlertLevel[];
const GROUPS: readonly string[] = ['user', 'model', 'team', 'all'];
const MEMBERS: Readonly<Record<keyof AlertRule, true>> = {
  name: true,
  metric: true,
  by: true,
  filter: true,
  windowMs: true,
  warning: true,
  alert: true,
  forMs: true,
  hysteresis: true,
  whenNoData: true,
};
/** Whether `null` is a value: calls without one. */
const FILTERS: Readonly<Record<Exclude<keyof UsageFilter, 'dimensions'>, boolean>> = {
  user: true,
  model: false,
  conversation: true,
  provider: false,
  outcome: false,
  service: false,
  team: true,
};
const MINUTE_MS = 60_000;
const YEAR_MS = 366 * 86_400_000;
const NAME_LENGTH = 200;

/**
 * The rules, once all of them are right. An unknown or misspelt member is refused: without it a
 * rule would never fire, or fire for everybody.
 *
 * @throws TokenMeterError `INVALID_OPTION` naming the first wrong member, as `rules[2].filter.user`.
 */
export function checkAlertRules(rules: unknown): readonly AlertRule[] {
  if (!Array.isArray(rules)) return refuse('rules', rules, 'a list');
  const names = new Set<string>();
  return (rules as readonly unknown[]).map((rule, index) => {
    const checked = checkedRule(rule, `rules[${index}]`);
    if (names.has(checked.name)) refuse(`rules[${index}].name`, checked.name, 'unique');
    names.add(checked.name);
    return checked;
  });
}

function checkedRule(value: unknown, at: string): AlertRule {
  const rule = objectOf<AlertRule>(value, at, Object.keys(MEMBERS));
  const { name, metric, by, filter, windowMs, warning, alert, forMs, hysteresis, whenNoData } =
    rule;
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_LENGTH) {
    refuse(`${at}.name`, name, `a string of 1 to ${NAME_LENGTH} characters`);
  }
  oneOf(`${at}.metric`, metric, METRICS);
  if (by !== undefined && !(typeof by === 'string' && isDimensionKey(by))) {
    oneOf(`${at}.by`, by, GROUPS, `${GROUPS.join(', ')}, or dimension. and a name`);
  }
  if (filter !== undefined) checkFilter(filter, `${at}.filter`);
  if (!isNumber(windowMs, MINUTE_MS, YEAR_MS)) {
    refuse(`${at}.windowMs`, windowMs, `a number of milliseconds from ${MINUTE_MS} to ${YEAR_MS}`);
  }
  for (const key of ['warning', 'alert'] as const) {
    const threshold = rule[key];
    if (threshold === undefined || isNumber(threshold, Number.MIN_VALUE)) continue;
    refuse(`${at}.${key}`, threshold, 'a number above 0');
  }
  if (forMs !== undefined && !isNumber(forMs, 0, YEAR_MS)) {
    refuse(`${at}.forMs`, forMs, `a number of milliseconds from 0 to ${YEAR_MS}`);
  }
  if (hysteresis !== undefined && !(isNumber(hysteresis, 0, 1) && hysteresis < 1)) {
    refuse(`${at}.hysteresis`, hysteresis, 'a share from 0 to less than 1');
  }
  if (whenNoData !== undefined) oneOf(`${at}.whenNoData`, whenNoData, LEVELS);
  if (warning === undefined && alert === undefined && (whenNoData ?? 'ok') === 'ok') {
    refuse(`${at}.warning`, warning, 'given, or alert, or whenNoData');
  }
  if (warning !== undefined && alert !== undefined && alert < warning) {
    refuse(`${at}.alert`, alert, `at least warning (${warning})`);
  }
  return rule;
}

function checkFilter(value: unknown, at: string): void {
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

function objectOf<T>(value: unknown, at: string, members: readonly string[]): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(at, value, 'an object');
  }
  const unknown = Object.keys(value as object).find((key) => !members.includes(key));
  if (unknown === undefined) return value as T;
  throw new TokenMeterError(
    'INVALID_OPTION',
    `alerts: ${at}.${unknown} is unknown; allowed: ${members.join(', ')}`,
    { value: unknown, allowed: members.join(', ') },
  );
}

function isNumber(value: unknown, min: number, max = Number.MAX_VALUE): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function oneOf(
  key: string,
  value: unknown,
  allowed: readonly string[],
  shown: string = allowed.join(', '),
): void {
  if (typeof value !== 'string' || !allowed.includes(value)) refuse(key, value, shown);
}

function refuse(key: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_OPTION', `alerts: ${key} must be ${allowed}`, {
    value,
    allowed,
  });
}
