import { diag } from '@opentelemetry/api';

const said = new Set<string>();

/** Distinct problems told in one process; a bound in case a kind is ever made from data. */
const SAID_MAX = 500;

/** Tells a problem of ours once a kind: the host's log is not ours to fill. */
export function warnOnce(kind: string, message: string): void {
  if (said.has(kind) || said.size >= SAID_MAX) return;
  said.add(kind);
  diag.warn(`otel-token-meter: ${message}`);
}

/**
 * Runs code of ours on the host's path: whatever goes wrong stays here. Only the error's class is told,
 * since a message may quote content.
 */
export function quietly<T>(what: string, fn: () => T): T | undefined {
  try {
    return fn();
  } catch (error) {
    return failedQuietly(what, error);
  }
}

/** For a `catch` of its own, on paths where a closure a call would be felt. */
export function failedQuietly(what: string, error: unknown): undefined {
  warnOnce(`failed ${what}`, `${what} failed (${errorType(error)}); the call is not affected`);
}

/** Class name of an error, or its code or type; never its message. */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { name, constructor } = error as { name?: unknown; constructor?: { name?: unknown } };
  const className = constructor?.name;
  if (typeof className === 'string' && className !== '' && className !== 'Error') {
    if (className !== 'DOMException' && className !== 'Object') return className;
  }
  return typeof name === 'string' && name !== '' ? name : 'Error';
}
