/** Counts the tokens of a text in one vocabulary. */
export interface TextCounter {
  /** Special tokens such as `<|endoftext|>` are counted as the text they are. */
  count(text: string): number;
  /**
   * The same, giving control back about every millisecond of work. Yields `'long'` before a single
   * piece (a run without a break) that will take longer than that.
   */
  countInSteps(text: string): Generator<StepKind, number>;
}

export type StepKind = 'step' | 'long';
