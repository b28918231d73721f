import type { UsageRecord } from './domain/usage-record.ts';

export interface TokenMeterOptions {
  /** First state of the switch; `applySettings()` changes it at run time. @default true */
  readonly enabled?: boolean;
  /**
   * First state of the second switch. Off: span and record keep user, model, conversation, time,
   * duration and outcome, and no token is read or counted. @default true
   */
  readonly tokenStatistics?: boolean;
  /** When tokens are counted locally. @default 'missing' */
  readonly counting?: 'missing' | 'always' | 'never';
  /**
   * Generation of the GenAI conventions. @default 'v1_41', or 'latest' when
   * OTEL_SEMCONV_STABILITY_OPT_IN holds `gen_ai_latest_experimental`
   */
  readonly metricNames?: 'v1_41' | 'latest' | 'both';
  /** Attributes that metrics carry beside the bounded ones, such as `user.id`; capped. @default [] */
  readonly metricAttributes?: readonly string[];
  /** Whether spans carry prompts and answers. Metrics and the ledger never do. @default false */
  readonly captureContent?: boolean;
  /** When set, user ids are recorded as their HMAC-SHA-256 under this key. */
  readonly userIdHashKey?: string;
  /**
   * Whether user and conversation are read from requests: `never`, from fields that name them
   * (`user`, `conversation`, `metadata.user_id` …), or from `all`, also those that may hold hashes
   * (`safety_identifier`, `prompt_cache_key`). @default 'plain'
   */
  readonly requestIdentity?: 'never' | 'plain' | 'all';
  /** Where an SDK makes its own span: enrich that one, or make ours beside it. @default 'enrich' */
  readonly nativeSpans?: 'enrich' | 'separate';
  /**
   * What the histogram of times between the chunks of a stream gets: `mean`, one value a call, or
   * `each`, one a chunk as the conventions have it, which costs about 1 µs a chunk. @default 'mean'
   */
  readonly chunkTimes?: 'mean' | 'each';
  /** Model or encoding behind names of your own: `{ 'my-deployment': 'gpt-4o' }`. */
  readonly modelAliases?: Readonly<Record<string, string>>;
  /** JSON file with prices of your own contracts; see docs/costs.md. */
  readonly pricesFile?: string;
  /** Called with every record, after it was emitted. What it throws is logged once and ignored. */
  readonly onUsage?: (record: UsageRecord) => void;
}

/** The live switches. What is left out stays as it is. */
export interface LiveSettings {
  readonly enabled?: boolean;
  readonly tokenStatistics?: boolean;
  /**
   * True: nobody knows yet. Finished records wait, up to 5,000, until it is called with false; then
   * they are emitted as the switches stand, or dropped and counted as `settings_unknown`.
   */
  readonly hold?: boolean;
}
