/** How long a process that has nothing else to do waits for its last records and metrics to arrive. */
export const LAST_ATTEMPT_MS = 2000;
