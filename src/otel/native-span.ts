import type { Span, TimeInput } from '@opentelemetry/api';
import { setOwn } from '../host/own-property.ts';

interface Held {
  /** When the SDK ended the span, once it has. */
  endedAt?: TimeInput;
}

const held = new WeakMap<Span, Held>();
const forgetful = new WeakSet<Span>();

/** Whoever made this span leaves it open where a stream is broken off or fails half-way. */
export function endIfForgotten(span: Span): void {
  forgetful.add(span);
}

/**
 * An SDK ends the span of its own at once when it hands out a raw response, when the caller leaves a
 * stream, or before tokens are counted: too soon for what is added to it. Its end is put off until
 * `releaseEnd`, with the time the SDK gave it.
 */
export function holdEnd(span: Span): void {
  if (held.has(span)) return;
  const hold: Held = {};
  held.set(span, hold);
  setOwn(span, 'end', (time?: TimeInput) => {
    hold.endedAt ??= time ?? Date.now();
  });
}

/** The span is the SDK's again, and ends if the SDK has ended it; `endedAt`: when its call did. */
export function releaseEnd(span: Span, endedAt?: TimeInput): void {
  const hold = held.get(span);
  if (hold === undefined) return;
  held.delete(span);
  delete (span as { end?: unknown }).end;
  if (hold.endedAt !== undefined) span.end(hold.endedAt);
  else if (forgetful.has(span)) {
    // By then it has been told of the end too, if it ever will be.
    setImmediate(() => {
      if (span.isRecording()) span.end(endedAt);
    });
  }
}

/** A span the SDK makes only in the course of the call it is for. */
export class LaterSpan {
  #span: Span | undefined;
  #wanted = false;

  /** It will be enriched; otherwise it is left alone. */
  want(): void {
    this.#wanted = true;
  }

  /** Of several, as where each retry has one, the call goes with the last. */
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

/** Whether the SDK has put this attribute on its span; a span that cannot be read is taken to be full. */
export function lacks(span: Span, attribute: string): boolean {
  const { attributes } = span as { attributes?: Readonly<Record<string, unknown>> };
  return attributes !== undefined && attributes[attribute] === undefined;
}
