import { TokenMeterError } from '../errors.ts';
import { OPEN_NAME, OPEN_NAME_TEXT } from '../settings/settings-schema.ts';
import {
  BUDGET_UNITS,
  CALENDAR_UNITS,
  type Budget,
  type BudgetKey,
  type BudgetScope,
} from './budget.ts';
import { isTimeZone } from './calendar.ts';
import { rollingMs } from './rolling.ts';

/** Names of the two spellings: of code, and of JSON. */
export interface MemberNames {
  readonly timeZone: string;
  readonly whenStoreDown: string;
}

const CODE_NAMES: MemberNames = { timeZone: 'timeZone', whenStoreDown: 'whenStoreDown' };

const DIMENSION = /^[a-z][a-z0-9_]{0,31}$/;
const KEYS: readonly BudgetKey[] = ['user', 'team', 'conversation', 'model', 'provider'];
const SCOPE_MEMBERS: readonly string[] = [...KEYS, 'each', 'dimensions'];
const ALWAYS_PRESENT: readonly string[] = ['model', 'provider'];
const LISTED_MAX = 1000;
const EACH_MAX = 4;
const SHARES_MAX = 10;
/** In whole nano-dollars it stays an exact number. */
const USD_MAX = 9_000_000;
const USD_MIN = 1e-6;

/**
 * The budgets, once all of them are right. An unknown or misspelt member is refused: without it a budget would
 * hold for nobody, or for everybody.
 *
 * @throws TokenMeterError `INVALID_OPTION` naming the first wrong member, as `budgets[2].scope.user`.
 */
export function checkBudgets(budgets: unknown): readonly Budget[] {
  if (!Array.isArray(budgets)) return refuse('budgets', budgets, 'a list');
  const ids = new Set<string>();
  return (budgets as readonly unknown[]).map((value, index) => {
    const at = `budgets[${index}]`;
    const budget = checkBudget(value, at);
    if (ids.has(budget.id)) refuse(`${at}.id`, budget.id, 'unique');
    ids.add(budget.id);
    return budget;
  });
}

/** The same for one of them. `at` names it in errors. */
export function checkBudget(value: unknown, at: string, names: MemberNames = CODE_NAMES): Budget {
  const members = ['id', 'scope', 'window', 'limit', 'at', 'mode', names.whenStoreDown, 'reserve'];
  const budget = objectOf(value, at, members);
  const id = budget['id'];
  if (typeof id !== 'string' || !OPEN_NAME.test(id)) {
    refuse(`${at}.id`, id, `1 to 128 ${OPEN_NAME_TEXT}, beginning with a letter or digit`);
  }
  if (budget['scope'] !== undefined) checkScope(budget['scope'], `${at}.scope`);
  checkWindow(budget['window'], `${at}.window`, names);
  checkLimit(budget['limit'], `${at}.limit`);
  if (budget['at'] !== undefined) checkShares(budget['at'], `${at}.at`);
  checkChoice(budget['mode'], `${at}.mode`, ['warn', 'block']);
  checkChoice(budget[names.whenStoreDown], `${at}.${names.whenStoreDown}`, ['allow', 'block']);
  checkChoice(budget['reserve'], `${at}.reserve`, ['max', 'counted', 'none']);
  return value as Budget;
}

function checkScope(value: unknown, at: string): void {
  const scope = objectOf(value, at, SCOPE_MEMBERS);
  for (const key of KEYS) {
    if (scope[key] === undefined) continue;
    checkWanted(scope[key], `${at}.${key}`, !ALWAYS_PRESENT.includes(key));
  }
  const { dimensions, each } = scope as BudgetScope;
  if (dimensions !== undefined) {
    for (const [name, wanted] of Object.entries(objectOf(dimensions, `${at}.dimensions`))) {
      if (!DIMENSION.test(name)) {
        refuse(`${at}.dimensions`, name, 'names of lower-case letters, digits and _');
      }
      checkWanted(wanted, `${at}.dimensions.${name}`, true);
    }
  }
  if (each === undefined) return;
  const isKey = (key: unknown): boolean =>
    KEYS.includes(key as BudgetKey) ||
    (typeof key === 'string' && key.startsWith('dimension.') && DIMENSION.test(key.slice(10)));
  const isList = Array.isArray(each) && each.length > 0 && each.length <= EACH_MAX;
  if (!isList || !each.every(isKey) || new Set(each).size < each.length) {
    const allowed = `a list of 1 to ${EACH_MAX} of ${KEYS.join(', ')} and dimension.<name>, each once`;
    refuse(`${at}.each`, each, allowed);
  }
}

function checkWanted(wanted: unknown, at: string, mayBeNull: boolean): void {
  const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  const isRight = (one: unknown): boolean =>
    (typeof one === 'string' && one !== '') || (one === null && mayBeNull);
  if (values.length > 0 && values.length <= LISTED_MAX && values.every(isRight)) return;
  const each = `a string${mayBeNull ? ' or null' : ''}`;
  refuse(at, wanted, `${each}, or a list of 1 to ${LISTED_MAX} of them`);
}

function checkWindow(value: unknown, at: string, names: MemberNames): void {
  const units = CALENDAR_UNITS.join(', ');
  const isUnit = (unit: unknown): boolean => (CALENDAR_UNITS as readonly unknown[]).includes(unit);
  if (isUnit(value)) return;
  const forms = `${units}, { calendar: <one of these>, ${names.timeZone} }, or { rolling: "24h" }`;
  if (typeof value !== 'object' || value === null) refuse(at, value, forms);
  if ('rolling' in value) {
    const { rolling } = objectOf(value, at, ['rolling']);
    if (rollingMs(rolling) === undefined) {
      refuse(`${at}.rolling`, rolling, 'whole minutes, hours or days from 5m to 366d, such as 24h');
    }
    return;
  }
  const window = objectOf(value, at, ['calendar', names.timeZone]);
  if (!isUnit(window['calendar'])) refuse(`${at}.calendar`, window['calendar'], units);
  const zone = window[names.timeZone];
  if (zone !== undefined && !isTimeZone(zone)) {
    refuse(`${at}.${names.timeZone}`, zone, 'an IANA time zone, such as Europe/Berlin');
  }
}

function checkLimit(value: unknown, at: string): void {
  const limit = objectOf(value, at, BUDGET_UNITS);
  const given = Object.keys(limit);
  const unit = given[0];
  if (unit === undefined || given.length > 1) {
    refuse(at, given.join(' and '), `exactly one of ${BUDGET_UNITS.join(', ')}`);
  }
  const amount = limit[unit];
  if (unit === 'usd') {
    if (isNumber(amount, USD_MIN, USD_MAX)) return;
    refuse(`${at}.usd`, amount, `dollars from ${USD_MIN} to ${USD_MAX}`);
  }
  if (isNumber(amount, 1, Number.MAX_SAFE_INTEGER) && Number.isInteger(amount)) return;
  refuse(`${at}.${unit}`, amount, 'a whole number from 1');
}

function checkShares(value: unknown, at: string): void {
  const isRight = Array.isArray(value) && value.every((share) => isNumber(share, 0.01, 10));
  if (isRight && value.length <= SHARES_MAX) return;
  refuse(at, value, `a list of at most ${SHARES_MAX} shares from 0.01 to 10`);
}

function checkChoice(value: unknown, at: string, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  refuse(at, value, choices.join(' or '));
}

function isNumber(value: unknown, from: number, to: number): value is number {
  return typeof value === 'number' && value >= from && value <= to;
}

function objectOf(
  value: unknown,
  at: string,
  members?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(at, value, 'an object');
  }
  const unknown = Object.keys(value).find((key) => members !== undefined && !members.includes(key));
  if (unknown === undefined) return value as Record<string, unknown>;
  throw new TokenMeterError(
    'INVALID_OPTION',
    `${at}.${unknown} is unknown; allowed: ${members?.join(', ')}`,
    { value: unknown, ...(members && { allowed: members.join(', ') }) },
  );
}

function refuse(at: string, value: unknown, allowed: string): never {
  const shown = JSON.stringify(value)?.slice(0, 200) ?? String(value);
  throw new TokenMeterError('INVALID_OPTION', `${at} is ${shown}; allowed: ${allowed}`, {
    value,
    allowed,
  });
}
