import type { Served } from '../../support/wire/wire-server.ts';

/** What a caller, and the server behind it, can see of one call. */
export interface Seen {
  readonly value?: unknown;
  readonly chunks?: readonly unknown[];
  readonly error?: unknown;
  /** Class and own keys of the object the SDK handed out at once, and of the stream. */
  readonly surfaces?: readonly unknown[];
  readonly served?: Served;
}

/** Awaits what `run` returns and tells what it was, how it looks, or how it failed. */
export async function see(run: () => Promise<unknown>): Promise<Seen> {
  const surfaces: unknown[] = [];
  try {
    const promise = run();
    surfaces.push(surface(promise));
    return { value: snapshot(await promise), surfaces };
  } catch (error) {
    return { error: told(error), surfaces };
  }
}

export interface Reading {
  readonly breakAfter?: number;
  readonly onChunk?: (count: number, stream: AsyncIterable<unknown>) => void;
  /** Chunks compared: after an abort more may or may not come through. */
  readonly keep?: number;
}

/** Reads a stream by `for await`. */
export async function read(
  open: () => Promise<AsyncIterable<unknown>>,
  { breakAfter, onChunk, keep }: Reading = {},
): Promise<Seen> {
  const chunks: unknown[] = [];
  const surfaces: unknown[] = [];
  const kept = (): readonly unknown[] => chunks.slice(0, keep);
  try {
    const promise = open();
    surfaces.push(surface(promise));
    const stream = await promise;
    surfaces.push(surface(stream));
    for await (const chunk of stream) {
      chunks.push(snapshot(chunk));
      onChunk?.(chunks.length, stream);
      if (chunks.length === breakAfter) break;
    }
    return { chunks: kept(), surfaces };
  } catch (error) {
    return { chunks: kept(), error: told(error), surfaces };
  }
}

/** Names the class too: the caller's `instanceof` must go on working. */
export function snapshot(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return { class: value.constructor?.name, data: JSON.parse(stable(value)) as unknown };
}

/** What a caller can do with an object: its classes, the keys he would list, the methods it answers to. */
export function surface(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  const classes: unknown[] = [];
  const methods = new Set<string>();
  for (let at: unknown = value; typeof at === 'object' && at !== null;) {
    for (const [key, { value: member }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof member === 'function') methods.add(key);
    }
    classes.push((at as { constructor?: { name?: unknown } }).constructor?.name);
    at = Object.getPrototypeOf(at);
  }
  return { classes, keys: Object.keys(value).toSorted(), methods: [...methods].toSorted() };
}

/** What differs from run to run by nature is left out. */
function stable(value: unknown): string {
  const varying = new Set(['date', 'Date', 'attempts', 'totalRetryDelay', 'port']);
  return (
    JSON.stringify(value, (key, inner: unknown) => {
      if (varying.has(key)) return undefined;
      return inner instanceof Headers ? headersOf(inner) : inner;
    }) ?? 'null'
  );
}

function headersOf(headers: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name !== 'date'));
}

function told(error: unknown): unknown {
  const { name, message, status, headers, cause, constructor } = error as Error & {
    status?: unknown;
    headers?: unknown;
  };
  return {
    class: constructor.name,
    name,
    message: message.replace(/\d{4}-\d\d.*Z/, ''),
    status,
    headers: snapshot(headers),
    cause: cause instanceof Error ? `${cause.constructor.name} ${cause.message}` : undefined,
    keys: Object.keys(error as object).toSorted(),
  };
}
