import type { BudgetedCall, CallSize } from '../domain/call-budgets.ts';
import type { BudgetReserve, BudgetUnit } from './budget.ts';
import type { CallEstimate, EstimatedTokens } from './call-estimate.ts';
import type { CallPrice } from './call-price.ts';

/** What one call needs of each budget, worked out once for all of them. */
export class CallNeeds {
  readonly #call: BudgetedCall;
  readonly #size: CallSize;
  readonly #estimate: CallEstimate;
  readonly #price: CallPrice;
  readonly #nowMs: number;
  readonly #tokens: { [How in BudgetReserve]?: EstimatedTokens } = {};
  readonly #nanoDollars: { [How in BudgetReserve]?: number } = {};

  constructor(
    call: BudgetedCall,
    size: CallSize,
    estimate: CallEstimate,
    price: CallPrice,
    nowMs: number,
  ) {
    this.#call = call;
    this.#size = size;
    this.#estimate = estimate;
    this.#price = price;
    this.#nowMs = nowMs;
  }

  /** In whole units. */
  amount(unit: BudgetUnit, how: BudgetReserve): number {
    if (how === 'none') return 0;
    if (unit === 'calls') return 1;
    const { provider, model = 'unknown' } = this.#call;
    const tokens = (this.#tokens[how] ??= this.#estimate.tokens(how, model, this.#size));
    if (unit === 'tokens') return tokens.input + tokens.output;
    const { operation } = this.#size;
    return (this.#nanoDollars[how] ??= this.#price.nanoDollars(
      { provider, model, operation },
      tokens,
      this.#nowMs,
    ));
  }
}
