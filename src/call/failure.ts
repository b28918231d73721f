import type { Failure } from '../domain/failure.ts';
import { errorType } from '../host/quietly.ts';

const BUDGET_EXCEEDED = 'budget_exceeded';

const ABORTS = new Set([
  'AbortError',
  'APIUserAbortError',
  'RequestAbortedError',
  'ResponseAborted',
  'UnwatchableReply',
]);

/** What Node, undici and node-fetch say when a connection ends in the middle of a body. */
const CUT_CODES = new Set<unknown>([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_SOCKET',
  'UND_ERR_ABORTED',
]);
const CUT_MESSAGES = new Set<unknown>([
  'terminated',
  'Premature close',
  'aborted',
  'network error',
]);

/** What may stand on anything that is thrown. */
type Thrown = Readonly<
  Record<'name' | 'status' | 'code' | 'message' | 'cause' | 'budgetId', unknown>
>;

/**
 * `replying`: the reply had begun. Before that a broken connection is a failed call; after it, a reply
 * cut short.
 */
export function failureOf(error: unknown, replying: boolean): Failure {
  if (isBudgetError(error)) return { outcome: 'blocked', type: BUDGET_EXCEEDED };
  const type = errorType(error);
  if (ABORTS.has(type) || (Object(error) as Thrown).name === 'AbortError')
    return { outcome: 'aborted', type };
  return { outcome: replying && isCut(error) ? 'aborted' : 'error', type };
}

/** A budget refused the call, or another one that it was to be made with. */
function isBudgetError(error: unknown): boolean {
  const { code, budgetId } = Object(error) as Thrown;
  return code === BUDGET_EXCEEDED && typeof budgetId === 'string';
}

/** The provider no longer has, or never had, the reply that was asked for by its id. */
export function isGone(error: unknown): boolean {
  const { status } = Object(error) as Thrown;
  return status === 404 || status === 410;
}

function isCut(error: unknown): boolean {
  const { code, message, cause } = Object(error) as Thrown;
  if (CUT_CODES.has(code) || CUT_MESSAGES.has(message)) return true;
  return cause !== undefined && cause !== error && isCut(cause);
}
