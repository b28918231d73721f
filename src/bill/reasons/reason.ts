/** Why a bill and the ledger differ. Each is a hypothesis that was tested on the figures. */
type ReasonCode =
  /** The calls of some API keys or projects are not in the ledger. */
  | 'unmetered_key'
  /** Calls are missing in the ledger, and no key explains which. */
  | 'calls_not_metered'
  /** The ledger has calls that the bill does not have. */
  | 'calls_not_billed'
  /** The same calls, of which the bill has other counts than the replies had. */
  | 'other_counts'
  /** The ledger estimated tokens that the provider counted. */
  | 'estimated_tokens'
  /** The days of the bill are those of another time zone. */
  | 'time_zone'
  /** Calls were billed at the half price of a batch or flex tier. */
  | 'batch_tier'
  /** From a day on, the price differs by a constant factor, or unit prices differ. */
  | 'price_changed'
  /** The price differs in the whole range: a contract, a discount, or an old list. */
  | 'price_differs'
  /** Calls in the ledger have no cost, or only a part of it. */
  | 'unpriced_usage'
  /** Nothing that was tested fits. */
  | 'unexplained';

/** A finding about one model. */
export interface Finding {
  readonly code: ReasonCode;
  readonly model: string;
  /** Days with a gap that it explains. */
  readonly days: readonly string[];
  /** What it is about: a key, a day and a factor, an offset. The same for findings that belong together. */
  readonly subject: string;
  /** One sentence with the figures that were compared. */
  readonly text: string;
  /** US dollars of the gap in cost, bill − ledger, that it explains. */
  readonly costUsd?: number;
  /** Other reasons that fit the figures as well: which one it is remains open. */
  readonly alternatives: readonly string[];
  /** Kinds of the rows that it explains. */
  readonly about: 'quantities' | 'cost' | 'both';
}
