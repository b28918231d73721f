import type { ReportedCall } from './reported-call.ts';

/** Two reports of one reply end within this time of each other; ids of local servers repeat later. */
const SAME_REPLY_MS = 120_000;

type RepliedCall = Pick<ReportedCall, 'responseId' | 'usage'>;

interface SeenReply {
  readonly endMs: number;
  readonly tokens: string;
}

/**
 * Which calls are recorded already: a call may be reported by several layers, by its span and its event, by
 * a resend, and by this process's own instrumentation. Bounded: the oldest entries are forgotten first.
 */
export class SeenCalls {
  readonly #max: number;
  /** Resends: by what identifies the item. */
  readonly #items = new Set<string>();
  /** By the id of the reply. */
  readonly #replies = new Map<string, SeenReply>();
  /** Operations of the recorded calls inside a span. */
  readonly #inside = new Map<string, ReadonlySet<string>>();

  /** @param max entries of each kind */
  constructor(max = 50_000) {
    this.#max = max;
  }

  hasItem(key: string): boolean {
    return this.#items.has(key);
  }

  addItem(key: string): void {
    bound(this.#items, this.#max).add(key);
  }

  /** Whether a call with this reply was recorded, at about this time and with the same tokens. */
  hasReply(call: RepliedCall, endMs: number): boolean {
    const seen = this.#replies.get(call.responseId ?? '');
    return seen?.tokens === tokensOf(call) && Math.abs(seen.endMs - endMs) <= SAME_REPLY_MS;
  }

  addReply(call: RepliedCall, endMs: number): void {
    const { responseId } = call;
    if (responseId === undefined || responseId === '') return;
    bound(this.#replies, this.#max).set(responseId, { endMs, tokens: tokensOf(call) });
  }

  /** Whether a span inside this one reported the call: this one is a wrapper. */
  containsCall(traceId: string, spanId: string, operation: string): boolean {
    return this.#inside.get(`${traceId} ${spanId}`)?.has(operation) === true;
  }

  /**
   * What a span contains its parent contains too, and a recorded call (`operation`) as well. Spans arrive as
   * they end: children first.
   */
  passUp(
    traceId: string,
    spanId: string,
    parentSpanId: string,
    operation: string | undefined,
  ): void {
    const inside = this.#inside.get(`${traceId} ${spanId}`) ?? [];
    const operations = operation === undefined ? [...inside] : [...inside, operation];
    if (parentSpanId === '' || operations.length === 0) return;
    const parent = `${traceId} ${parentSpanId}`;
    const known = this.#inside.get(parent) ?? [];
    bound(this.#inside, this.#max).set(parent, new Set([...known, ...operations]));
  }
}

function tokensOf({ usage }: RepliedCall): string {
  return `${usage?.inputTokens ?? ''} ${usage?.outputTokens ?? ''}`;
}

function bound<T extends Set<string> | Map<string, unknown>>(seen: T, max: number): T {
  if (seen.size < max) return seen;
  const oldest = seen.keys().next().value;
  if (oldest !== undefined) seen.delete(oldest);
  return seen;
}
