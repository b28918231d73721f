/**
 * How an error ends a call. `aborted`: the caller or the network cut the call short. `type` is a class
 * name or code.
 */
export interface Failure {
  readonly outcome: 'error' | 'aborted';
  readonly type: string;
}
