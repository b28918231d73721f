import type { Failure } from '../domain/failure.ts';
import { errorType } from '../host/quietly.ts';

const ABORTS = new Set([
  'AbortError',
  'APIUserAbortError',
  'RequestAbortedError',
  'ResponseAborted',
  'UnwatchableReply',
]);

/** What Node, undici and node-fetch say when a connection ends in the middle of a body. */
const CUT_CODES = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_SOCKET',
  'UND_ERR_ABORTED',
]);
const CUT_MESSAGES = new Set(['terminated', 'Premature close', 'aborted', 'network error']);

/**
 * `replying`: the reply had begun. Before that a broken connection is a failed call; after it, a reply
 * cut short.
 */
export function failureOf(error: unknown, replying: boolean): Failure {
  const type = errorType(error);
  if (ABORTS.has(type) || nameOf(error) === 'AbortError') return { outcome: 'aborted', type };
  return { outcome: replying && isCut(error) ? 'aborted' : 'error', type };
}

/** The provider no longer has, or never had, the reply that was asked for by its id. */
export function isGone(error: unknown): boolean {
  const status =
    typeof error === 'object' && error !== null
      ? (error as { readonly status?: unknown }).status
      : undefined;
  return status === 404 || status === 410;
}

function isCut(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
  if (typeof code === 'string' && CUT_CODES.has(code)) return true;
  if (typeof message === 'string' && CUT_MESSAGES.has(message)) return true;
  return cause !== undefined && cause !== error && isCut(cause);
}

function nameOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null
    ? (error as { name?: unknown }).name
    : undefined;
}
