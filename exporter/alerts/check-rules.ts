import { isDimensionKey } from '../ledger/queries/dimension-key.ts';
import type {
  AlertKind,
  AlertLevel,
  AlertMetric,
  AlertRule,
  ForecastRule,
  SpikeRule,
  ThresholdRule,
} from './alert-rule.ts';
import { checkFilter } from './check-rule-filter.ts';
import { isNumber, isTimeZone, milliseconds, objectOf, oneOf, refuse } from './rule-values.ts';

const METRICS: readonly string[] = [
  'totalTokens',
  'inputTokens',
  'outputTokens',
  'costUsd',
  'calls',
] satisfies AlertMetric[];
const LEVELS: readonly string[] = ['ok', 'warning', 'alert'] satisfies AlertLevel[];
const GROUPS: readonly string[] = ['user', 'model', 'team', 'all'];
const ANY = [
  'name',
  'kind',
  'metric',
  'by',
  'filter',
  'warning',
  'alert',
  'forMs',
  'hysteresis',
  'repeatMs',
  'timeZone',
] as const satisfies readonly (keyof AlertRule)[];
const MEMBERS: Readonly<Record<AlertKind, readonly string[]>> = {
  threshold: [...ANY, 'windowMs', 'whenNoData'] satisfies (keyof ThresholdRule)[],
  forecast: [...ANY] satisfies (keyof ForecastRule)[],
  spike: [...ANY, 'windowMs', 'minimum'] satisfies (keyof SpikeRule)[],
};
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
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
  const { kind = 'threshold' } = objectOf<Partial<AlertRule>>(value, at);
  oneOf(`${at}.kind`, kind, Object.keys(MEMBERS));
  const rule = objectOf<AlertRule>(value, at, MEMBERS[kind]);
  const { name, metric, by, filter, warning, alert, forMs, hysteresis, repeatMs, timeZone } = rule;
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_LENGTH) {
    refuse(`${at}.name`, name, `a string of 1 to ${NAME_LENGTH} characters`);
  }
  oneOf(`${at}.metric`, metric, METRICS);
  if (by !== undefined && !(typeof by === 'string' && isDimensionKey(by))) {
    oneOf(`${at}.by`, by, GROUPS, `${GROUPS.join(', ')}, or dimension. and a name`);
  }
  if (filter !== undefined) checkFilter(filter, `${at}.filter`);
  checkWindow(rule, at);
  for (const key of ['warning', 'alert'] as const) {
    const threshold = rule[key];
    if (threshold === undefined || isNumber(threshold, Number.MIN_VALUE)) continue;
    refuse(`${at}.${key}`, threshold, 'a number above 0');
  }
  if (forMs !== undefined) milliseconds(`${at}.forMs`, forMs, 0, YEAR_MS);
  if (repeatMs !== undefined) milliseconds(`${at}.repeatMs`, repeatMs, 10 * MINUTE_MS, YEAR_MS);
  if (hysteresis !== undefined && !(isNumber(hysteresis, 0, 1) && hysteresis < 1)) {
    refuse(`${at}.hysteresis`, hysteresis, 'a share from 0 to less than 1');
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    refuse(`${at}.timeZone`, timeZone, 'an IANA time zone such as Europe/Berlin');
  }
  const whenNoData = rule.kind === undefined || rule.kind === 'threshold' ? rule.whenNoData : 'ok';
  if (warning === undefined && alert === undefined && (whenNoData ?? 'ok') === 'ok') {
    const orNoData = kind === 'threshold' ? ', or whenNoData' : '';
    refuse(`${at}.warning`, warning, `given, or alert${orNoData}`);
  }
  if (warning !== undefined && alert !== undefined && alert < warning) {
    refuse(`${at}.alert`, alert, `at least warning (${warning})`);
  }
  return rule;
}

/** The members of one kind. */
function checkWindow(rule: AlertRule, at: string): void {
  if (rule.kind === 'forecast') return;
  if (rule.kind === 'spike') {
    const { windowMs, minimum } = rule;
    if (windowMs !== undefined) milliseconds(`${at}.windowMs`, windowMs, 10 * MINUTE_MS, DAY_MS);
    if (!isNumber(minimum, Number.MIN_VALUE)) refuse(`${at}.minimum`, minimum, 'a number above 0');
    return;
  }
  milliseconds(`${at}.windowMs`, rule.windowMs, MINUTE_MS, YEAR_MS);
  if (rule.whenNoData !== undefined) oneOf(`${at}.whenNoData`, rule.whenNoData, LEVELS);
}
