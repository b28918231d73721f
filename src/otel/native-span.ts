import type { Span, TimeInput } from '@opentelemetry/api';
import { setOwn } from '../host/own-property.ts';

interface Held {
  /** Time at which the SDK ended the span, if it has. */
  endedAt?: TimeInput;
}

const held = new WeakMap<Span, Held>();
const leftOpen = new WeakSet<Span>();

/** Marks a span whose creator never ends it when a stream is aborted or fails half-way. */
export function endIfLeftOpen(span: Span): void {
  leftOpen.add(span);
}

/**
 * Defers the end of a span that an SDK created until `releaseEnd`, and keeps the end time the SDK
 * gives. SDKs end their span when they return a raw response, when the caller leaves a stream, or
 * before tokens are counted: too early to add attributes.
 */
export function holdEnd(span: Span): void {
  if (held.has(span)) return;
  const hold: Held = {};
  held.set(span, hold);
  setOwn(span, 'end', (time?: TimeInput) => {
    hold.endedAt ??= time ?? Date.now();
  });
}

/** Ends the span if the SDK has ended it. `endedAt` is the end of the call. */
export function releaseEnd(span: Span, endedAt?: TimeInput): void {
  const hold = held.get(span);
  if (hold === undefined) return;
  held.delete(span);
  delete (span as { end?: unknown }).end;
  if (hold.endedAt !== undefined) span.end(hold.endedAt);
  else if (leftOpen.has(span)) {
    // Its creator ends it by then, if at all.
    setImmediate(() => {
      if (span.isRecording()) span.end(endedAt);
    });
  }
}

/** A span that the SDK creates during the call. */
export class DeferredSpan {
  #span: Span | undefined;
  #wanted = false;

  /** Enables enrichment. Without it the span is left alone. */
  want(): void {
    this.#wanted = true;
  }

  /** With several spans, such as one per retry, the last one is enriched. */
  take(span: Span): void {
    if (!this.#wanted) return;
    if (this.#span !== undefined) releaseEnd(this.#span);
    this.#span = span;
    holdEnd(span);
  }

  get(): Span | undefined {
    return this.#span;
  }
}

/** Whether the span lacks this attribute. False for spans that cannot be read. */
export function lacks(span: Span, attribute: string): boolean {
  const { attributes } = span as { attributes?: Readonly<Record<string, unknown>> };
  return attributes !== undefined && attributes[attribute] === undefined;
}
