/** Counts the tokens of a text in one vocabulary. */
export interface TextCounter {
  /** Special tokens such as `<|endoftext|>` are counted as plain text. */
  count(text: string): number;
  /**
   * Counts in steps of about a millisecond. Yields `'long'` before a single piece (a run without a
   * break) that takes longer.
   */
  countInSteps(text: string): Generator<StepKind, number>;
}

export type StepKind = 'step' | 'long';
