import type { TokenSource, TokenUsage, UsageAttributeValue } from '../domain/usage-record.ts';

/** Everything a price depends on. A `UsageRecord` fits. */
export interface PricedCall extends TokenUsage {
  readonly provider: string;
  readonly requestModel: string;
  readonly responseModel?: string;
  readonly operation?: string;
  /** RFC 3339. Prices change over time, some of them by hour of day. */
  readonly time: string;
  readonly tokenSource?: TokenSource;
  /** Service tier that processed the call. */
  readonly serviceTier?: string;
  /** Kinds of usage beyond the token counts: see `BILLED_KINDS`. */
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>>;
}

/** Known part of the price of a call. */
export interface PricedParts {
  /** Sum of the parts with a known price; `undefined` if there are none. */
  readonly nanoDollars: number | undefined;
  /** Billed parts without a known price. */
  readonly missing: readonly string[];
}
