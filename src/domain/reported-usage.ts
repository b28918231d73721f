import type { TokenUsage } from './usage-record.ts';

/** Usage reported by a provider, normalised: input includes cache, output includes reasoning. */
export interface ReportedUsage extends TokenUsage {
  /** Subsets by modality, where the provider splits them. */
  readonly audioInputTokens?: number;
  readonly imageInputTokens?: number;
  readonly audioOutputTokens?: number;
  readonly imageOutputTokens?: number;
  /**
   * `input`: only the input is final; the output is a placeholder and has to be counted (Anthropic
   * before `message_delta`). By default everything present is final.
   */
  readonly final?: 'input';
}
