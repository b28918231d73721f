/**
 * Outcome of a call that failed. `aborted`: cut short by the caller or the network. `type` is a
 * class name or a code.
 */
export interface Failure {
  readonly outcome: 'error' | 'aborted' | 'blocked';
  readonly type: string;
}
