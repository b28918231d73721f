/**
 * Delay before the next poll: 64 to 96 % of the interval, so that a change is seen within it and the polls
 * of many instances are spread. The rest is for the poll itself.
 */
export function pollDelayMs(intervalMs: number): number {
  return intervalMs * (0.64 + 0.32 * Math.random());
}
