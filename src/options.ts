import type { Budget } from './budgets/budget.ts';
import type { BudgetStore } from './budgets/stores/budget-store.ts';
import type { SwitchValues } from './domain/switches.ts';
import type { UsageRecord } from './domain/usage-record.ts';
import { TokenMeterError } from './errors.ts';

export interface TokenMeterOptions {
  /** Initial state of the switch; `applySettings()` changes it at run time. @default true */
  readonly enabled?: boolean;
  /**
   * Initial state of the second switch. When off, span and record contain user, model,
   * conversation, time, duration and outcome, and no tokens are read or counted. @default true
   */
  readonly tokenStatistics?: boolean;
  /** When tokens are counted locally. @default 'missing' */
  readonly counting?: 'missing' | 'always' | 'never';
  /**
   * Generation of the GenAI conventions. @default 'v1_41', or 'latest' when
   * OTEL_SEMCONV_STABILITY_OPT_IN holds `gen_ai_latest_experimental`
   */
  readonly metricNames?: 'v1_41' | 'latest' | 'both';
  /**
   * Names of the dimensions that records have beside the team, up to 7: `['feature']`. A name is 1 to 32
   * lower-case letters, digits and `_`, beginning with a letter. @default []
   */
  readonly dimensions?: readonly string[];
  /** Additional attributes on metrics, such as `user.id`. Their values are capped. @default [] */
  readonly metricAttributes?: readonly string[];
  /** Whether spans contain prompts and replies. Metrics and the ledger never do. @default false */
  readonly captureContent?: boolean;
  /** Key for HMAC-SHA-256. When set, user ids are recorded only as their hash. */
  readonly userIdHashKey?: string;
  /**
   * Request fields that user and conversation are read from: `never`, `plain` for fields that name
   * them (`user`, `conversation`, `metadata.user_id` …), or `all` to include fields that may
   * contain hashes (`safety_identifier`, `prompt_cache_key`). @default 'plain'
   */
  readonly requestIdentity?: 'never' | 'plain' | 'all';
  /**
   * For SDKs that create spans: enrich their span, or create an additional one. @default 'enrich'
   */
  readonly nativeSpans?: 'enrich' | 'separate';
  /**
   * Values recorded in the histogram of times between chunks: `mean`, one value per call, or
   * `each`, one per chunk as the conventions define it, which costs about 1 µs per chunk. @default
   * 'mean'
   */
  readonly chunkTimes?: 'mean' | 'each';
  /** Model or encoding of custom names: `{ 'my-deployment': 'gpt-4o' }`. */
  readonly modelAliases?: Readonly<Record<string, string>>;
  /** JSON file with contract prices; see docs/costs.md. */
  readonly pricesFile?: string;
  /** Downloaded price list and display currency; see docs/costs.md. */
  readonly prices?: {
    /** @default '.token-meter/price-list.json' */
    readonly listFile?: string;
    /** The list is downloaded from here at run time. */
    readonly refreshUrl?: string;
    /** @default a day */
    readonly refreshIntervalMs?: number;
    /** ISO 4217 code with a rate in `pricesFile`. @default 'USD' */
    readonly currency?: string;
  };
  /** Limits of spending; `applyBudgets()` changes them at run time. See docs/budgets.md. @default none */
  readonly budgets?: readonly Budget[];
  /** Shares the budgets with other processes: `new RedisBudgetStore({ url })`. @default this process alone */
  readonly budgetStore?: BudgetStore;
  /** Called with every record after it was emitted. Exceptions are logged once and ignored. */
  readonly onUsage?: (record: UsageRecord) => void;
}

/** The live switches. Absent members stay unchanged. */
export interface LiveSettings extends SwitchValues {
  /**
   * True: nobody knows yet. Finished records wait, up to 5,000, until it is called with false; then
   * they are emitted as the switches stand, or dropped and counted as `settings_unknown`.
   */
  readonly hold?: boolean;
}

/** Checks what a JavaScript caller passed. Throws `TokenMeterError` `INVALID_OPTION` for what cannot be switches. */
export function checkLiveSettings(given: unknown): void {
  const { hold, teams, services } = checkSwitches('', given);
  checkSwitch('hold', hold);
  for (const [name, scopes] of Object.entries({ teams, services })) {
    if (scopes === undefined) continue;
    const byName = checkObject(name, scopes, 'an object of switches by name');
    for (const [one, switches] of Object.entries(byName)) checkSwitches(`${name}.${one}`, switches);
  }
}

function checkSwitches(path: string, given: unknown): Readonly<Record<string, unknown>> {
  const switches = checkObject(path, given, 'an object with enabled and tokenStatistics');
  for (const name of ['enabled', 'tokenStatistics']) {
    checkSwitch(path === '' ? name : `${path}.${name}`, switches[name]);
  }
  return switches;
}

function checkSwitch(path: string, given: unknown): void {
  if (given !== undefined && typeof given !== 'boolean') throw invalid(path, given, 'true, false');
}

function checkObject(
  path: string,
  given: unknown,
  allowed: string,
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(path, given, allowed);
  }
  return given as Readonly<Record<string, unknown>>;
}

function invalid(path: string, value: unknown, allowed: string): TokenMeterError {
  const what = path === '' ? 'what was given' : path;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return new TokenMeterError(
    'INVALID_OPTION',
    `applySettings: ${what} is ${kind}; allowed: ${allowed}`,
    { value, allowed },
  );
}
