import { diag } from '@opentelemetry/api';

const reported = new Set<string>();

/** Maximum number of distinct warnings per process, in case a kind ever contains data. */
const MAX_KINDS = 500;

/** Warns once per kind, so that we do not flood the host's log. */
export function warnOnce(kind: string, message: string): void {
  if (reported.has(kind) || reported.size >= MAX_KINDS) return;
  reported.add(kind);
  diag.warn(`otel-token-meter: ${message}`);
}

/**
 * Runs our code on the host's path and swallows errors. Only the class of the error is logged,
 * because its message may quote content.
 */
export function quietly<T>(what: string, fn: () => T): T | undefined {
  try {
    return fn();
  } catch (error) {
    return failedQuietly(what, error);
  }
}

/** The same for a callback of the application: it may be async, and a rejection would end the process. */
export function callQuietly(what: string, callback: () => unknown): void {
  quietly(what, () => {
    const result = callback();
    if (result instanceof Promise) result.catch((error: unknown) => failedQuietly(what, error));
  });
}

/** For an explicit `catch`, on paths where a closure per call is too expensive. */
export function failedQuietly(what: string, error: unknown): undefined {
  warnOnce(`failed ${what}`, `${what} failed (${errorType(error)}); the call is not affected`);
}

/** Class name or type of an error, never its message. */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { name, constructor } = error as { name?: unknown; constructor?: { name?: unknown } };
  const className = constructor?.name;
  if (typeof className === 'string' && className !== '' && className !== 'Error') {
    if (className !== 'DOMException' && className !== 'Object') return className;
  }
  return typeof name === 'string' && name !== '' ? name : 'Error';
}
