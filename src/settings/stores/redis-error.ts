import { TokenMeterError } from '../../errors.ts';

/** Rights, a replica, a full disk: the server answers but will not write until somebody changes it. */
const REFUSAL = /\b(NOPERM|READONLY|OOM|MISCONF|NOREPLICAS)\b/;

/** Without the original error: ioredis attaches the command to it, for AUTH with the password. */
export function redisError(error: unknown, isWrite = false): TokenMeterError {
  if (error instanceof TokenMeterError) return error;
  const { message, previousErrors = [] } = (error instanceof Error ? error : {}) as {
    message?: string;
    /** Of a transaction: why its commands were refused. */
    previousErrors?: readonly Error[];
  };
  const reason = (previousErrors[0]?.message ?? message)?.slice(0, 200);
  const refused = isWrite && reason !== undefined && REFUSAL.test(reason);
  return new TokenMeterError(
    refused ? 'STORE_READ_ONLY' : 'STORE_UNAVAILABLE',
    `Redis ${refused ? 'refuses to write' : 'cannot be used'}${reason === undefined ? '' : `: ${reason}`}`,
  );
}
