import { quietly } from '../host/quietly.ts';

/**
 * Where a value is found: a key path (`'user_id'`, `'body.user.id'`) looked for in the arguments and
 * then in the result, several of which the first that is there counts, or a function.
 */
export type Source<T = unknown> =
  | string
  | readonly string[]
  | ((args: readonly unknown[], result: unknown) => T | undefined);

/** Undefined when it is nowhere, or when a function or a getter of the caller threw. */
export function find(source: Source, args: readonly unknown[], result?: unknown): unknown {
  if (typeof source === 'function') {
    return quietly('calling a function of meterChat', () => source(args, result));
  }
  const paths = typeof source === 'string' ? [source] : source;
  for (const place of [...args, result]) {
    for (const path of paths) {
      const value = quietly('reading a value for meterChat', () => valueAt(place, path));
      if (value !== undefined && value !== null) return value;
    }
  }
  return undefined;
}

/** The same, with key paths looked for in the result alone. */
export function findInResult(source: Source, args: readonly unknown[], result: unknown): unknown {
  return find(source, typeof source === 'function' ? args : [], result);
}

function valueAt(place: unknown, path: string): unknown {
  let value = place;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !(key in value)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
