/**
 * How long to wait before the next look, so that a change is seen within the interval and the looks of
 * many instances are spread: 64 to 96 % of it. The rest is for the look itself.
 */
export function pollDelayMs(intervalMs: number): number {
  return intervalMs * (0.64 + 0.32 * Math.random());
}
