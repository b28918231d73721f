import type { StepKind, TextCounter } from './text-counter.ts';

/** English text has about four bytes a token; others have fewer. */
const BYTES_PER_TOKEN = 4;

/** For a bundle that has neither the vocabularies nor tiktoken: its counts are estimates. */
export class ApproximateCounter implements TextCounter {
  count(text: string): number {
    return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
  }

  // oxlint-disable-next-line require-yield -- it has one short step
  *countInSteps(text: string): Generator<StepKind, number> {
    return this.count(text);
  }
}
