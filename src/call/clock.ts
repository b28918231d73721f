import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
  /** Never goes back, milliseconds from any origin. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
