/** What a budget limits: dollars, input plus output tokens, or calls. Exactly one of them. */
export type BudgetUnit = 'usd' | 'tokens' | 'calls';

/** One amount, such as `{ usd: 100 }`. Tokens and calls are whole numbers. */
export type BudgetLimit =
  | { readonly usd: number }
  | { readonly tokens: number }
  | { readonly calls: number };

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month';

/**
 * When spending begins again at zero: a calendar window in UTC, the same in a time zone, or a rolling
 * window, which forgets what is older than its length. Weeks begin on Monday. Lengths are whole numbers
 * of minutes, hours or days: `30m`, `24h`, `7d`, from `5m` to `366d`.
 */
export type BudgetWindow =
  | CalendarUnit
  | { readonly calendar: CalendarUnit; readonly timeZone?: string }
  | { readonly rolling: string };

/** By what a budget can be split. */
export type BudgetKey =
  | 'user'
  | 'team'
  | 'conversation'
  | 'model'
  | 'provider'
  | `dimension.${string}`;

/** One value, or any of several. `null`: calls that have none. */
export type Wanted = string | null | readonly (string | null)[];

/**
 * Which calls a budget is for, and how many accounts it has. Members combine: a call must fit all of them.
 * Without any, one account has all calls.
 */
export interface BudgetScope {
  /**
   * An account of the full limit for each value, such as `['user']`; with several names for each combination.
   * Calls without a value share one account.
   */
  readonly each?: readonly BudgetKey[];
  readonly user?: Wanted;
  readonly team?: Wanted;
  readonly conversation?: Wanted;
  /** As in the request. `*` stands for any characters: `gpt-5*`. */
  readonly model?: string | readonly string[];
  /** `gen_ai.provider.name`, such as `openai`. */
  readonly provider?: string | readonly string[];
  readonly dimensions?: Readonly<Record<string, Wanted>>;
}

/**
 * What is set aside for a call until its real usage is known.
 *
 * - `max`: the most it can use: its input by its length, and `max_tokens` or the longest recent reply of the model.
 * - `counted`: what it will probably use: its input counted, and a usual reply of the model.
 * - `none`: nothing. Calls that run at the same time may overspend by what they use.
 */
export type BudgetReserve = 'max' | 'counted' | 'none';

export interface Budget {
  /** Letters, digits, `_`, `.` and `-`, at most 128. */
  readonly id: string;
  /** @default all calls, one account */
  readonly scope?: BudgetScope;
  readonly window: BudgetWindow;
  readonly limit: BudgetLimit;
  /** Shares of the limit that are reported when they are reached. @default [0.5, 0.8, 1] */
  readonly at?: readonly number[];
  /** `block` refuses calls that the rest of the budget has no room for. @default 'warn' */
  readonly mode?: 'warn' | 'block';
  /** What a blocking budget does once this process has spent its share and cannot reach the store. @default 'allow' */
  readonly whenStoreDown?: 'allow' | 'block';
  /** @default 'max' */
  readonly reserve?: BudgetReserve;
}

export const CALENDAR_UNITS: readonly CalendarUnit[] = ['hour', 'day', 'week', 'month'];
export const BUDGET_UNITS: readonly BudgetUnit[] = ['usd', 'tokens', 'calls'];

const DEFAULT_SHARES: readonly number[] = [0.5, 0.8, 1];
const NANO = 1e9;

/** A budget with its defaults; its limit in whole nano-dollars, tokens or calls. */
export interface ResolvedBudget extends Required<Omit<Budget, 'limit'>> {
  readonly unit: BudgetUnit;
  readonly limit: number;
}

export function resolveBudget(budget: Budget): ResolvedBudget {
  const { limit } = budget;
  const unit = 'usd' in limit ? 'usd' : 'tokens' in limit ? 'tokens' : 'calls';
  const amount = (limit as Readonly<Record<string, number>>)[unit] ?? 0;
  return {
    scope: {},
    at: DEFAULT_SHARES,
    mode: 'warn',
    whenStoreDown: 'allow',
    reserve: 'max',
    ...given(budget),
    unit,
    limit: unit === 'usd' ? Math.round(amount * NANO) : amount,
  };
}

/** Its members but those that are undefined, which JavaScript and loose TypeScript allow. */
function given(budget: Budget): Budget {
  return Object.fromEntries(
    Object.entries(budget).filter(([, value]) => value !== undefined),
  ) as unknown as Budget;
}

/** An amount as people read it: dollars for nano-dollars. */
export function shownAmount(unit: BudgetUnit, amount: number): number {
  return unit === 'usd' ? amount / NANO : amount;
}
