/** The kind of a figure that is a cost. */
export const COST = 'cost_usd';

/** One line of what a provider says that it served or billed. */
export interface BillLine {
  /** `2026-11-30`, or `2026-11` for a line of a month. */
  readonly day: string;
  /** Absent if the line is not about one model. */
  readonly model?: string;
  /** Name in `QUANTITIES`. Absent for a cost without a quantity. */
  readonly kind?: string;
  /** 0 where the source says that there was none of this kind. */
  readonly quantity?: number;
  /** US dollars. */
  readonly costUsd?: number;
  /** API key, project or workspace that the usage is grouped by. */
  readonly account?: string;
  /** The line has a cost, and does not say of which usage. */
  readonly isUsageUnknown?: true;
  /** Service tier, if it is not the standard one. */
  readonly tier?: string;
}

export type BillSide = 'usage' | 'costs';

/** The provider's own figures for a range. */
export interface Bill {
  /** For people: which API or file this is. */
  readonly source: string;
  readonly lines: readonly BillLine[];
  /** What such a source gives. If it has none of it, that was not compared. */
  readonly gives: readonly BillSide[];
  /** Quantities are only those of usage with a price. */
  readonly isChargesOnly?: true;
  /** Decimal places that its costs are rounded to; absent if they are not rounded. */
  readonly costDecimals?: number;
  /** What the reader left out, and why. */
  readonly notes: readonly string[];
}

/** Text of amounts such as `12.50`: how many places they have at most. */
export function decimalsOf(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => /\.(\d+)$/.exec(text.trim())?.[1]?.length ?? 0));
}
