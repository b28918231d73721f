import type { BilledUsage } from './billed-usage.ts';

/** Usage as a provider reports it, normalised: input includes cache, output includes reasoning. */
export interface ReportedUsage extends BilledUsage {
  /**
   * `input`: only the input is final; the output is a placeholder and has to be counted (Anthropic
   * before `message_delta`). By default everything present is final.
   */
  readonly final?: 'input';
}
