import { TokenMeterError } from '../errors.ts';
import type { Budget, BudgetLimit, BudgetScope, BudgetWindow, CalendarUnit } from './budget.ts';
import { checkBudget } from './check-budget.ts';

/** A budget as configuration files and the settings API write it. Its id is the name it is found under. */
export interface BudgetJson {
  readonly scope?: BudgetScope;
  readonly window:
    | CalendarUnit
    | { readonly calendar: CalendarUnit; readonly time_zone?: string }
    | { readonly rolling: string };
  readonly limit: BudgetLimit;
  readonly at?: readonly number[];
  readonly mode?: 'warn' | 'block';
  readonly when_store_down?: 'allow' | 'block';
  readonly reserve?: 'max' | 'counted' | 'none';
}

const JSON_NAMES = { timeZone: 'time_zone', whenStoreDown: 'when_store_down' };

/**
 * @param at names it in errors
 * @throws TokenMeterError `INVALID_OPTION` naming the first wrong member, as `team-search.window`.
 */
export function budgetFromJson(id: string, json: unknown, at: string = id): Budget {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  if (isObject && 'id' in json) {
    const allowed = 'the id only as the name it is found under';
    throw new TokenMeterError('INVALID_OPTION', `${at}.id is unknown; allowed: ${allowed}`, {
      value: json.id,
      allowed,
    });
  }
  checkBudget(isObject ? { ...json, id } : json, at, JSON_NAMES);
  const { window, when_store_down: whenStoreDown, ...same } = json as BudgetJson;
  return {
    ...same,
    id,
    window: windowFrom(window),
    ...(whenStoreDown !== undefined && { whenStoreDown }),
  };
}

/** What is wrong with it; undefined when nothing is. */
export function budgetProblem(id: string, json: unknown): string | undefined {
  try {
    budgetFromJson(id, json);
    return undefined;
  } catch (error) {
    if (error instanceof TokenMeterError) return error.message;
    throw error;
  }
}

export function budgetToJson({ id: _id, window, whenStoreDown, ...same }: Budget): BudgetJson {
  return {
    ...same,
    window: windowTo(window),
    ...(whenStoreDown !== undefined && { when_store_down: whenStoreDown }),
  };
}

function windowFrom(window: BudgetJson['window']): BudgetWindow {
  if (typeof window === 'string' || 'rolling' in window) return window;
  const { calendar, time_zone: timeZone } = window;
  return { calendar, ...(timeZone !== undefined && { timeZone }) };
}

function windowTo(window: BudgetWindow): BudgetJson['window'] {
  if (typeof window === 'string' || 'rolling' in window) return window;
  const { calendar, timeZone } = window;
  return { calendar, ...(timeZone !== undefined && { time_zone: timeZone }) };
}
