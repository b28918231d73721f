import { warnHost } from '../host/host-warning.ts';

/**
 * Ends the call of a reply that cannot be watched without changing what its reader gets, such as a frozen
 * stream. It is never thrown: the record has its name as `errorType`.
 */
export class UnwatchableReply extends Error {
  override readonly name = 'UnwatchableReply';

  constructor() {
    super('the reply cannot be watched');
    warnHost(
      'TOKEN_METER_UNWATCHABLE',
      'a reply is frozen or sealed, so it is left alone: its call is recorded as aborted, with the ' +
        'error type UnwatchableReply and without output',
    );
  }
}
