import type { Context, Span } from '@opentelemetry/api';
import { runIn } from '../context.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { CallShape } from '../domain/call-shape.ts';
import type { Failure } from '../domain/failure.ts';
import type { Reply } from '../domain/reply.ts';
import type { ReplyReader } from '../domain/reply-reader.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { Outcome } from '../domain/usage-record.ts';
import { Abandonable, type OpenReplies } from './abandoned.ts';
import type { BackgroundCalls } from './background-calls.ts';
import type { Clock } from './clock.ts';
import { failureOf } from './failure.ts';
import { failedQuietly, quietly } from '../host/quietly.ts';
import type { ReplySink } from './reply-sink.ts';

export interface ChatCallParts {
  readonly provider: string;
  readonly shape: CallShape;
  readonly facts: RequestFacts;
  readonly request: unknown;
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  readonly usageContext: UsageContext;
  readonly tokenStatistics: boolean;
  readonly reader: ReplyReader;
  readonly clock: Clock;
  /** Every gap between chunks is kept, not only their mean. */
  readonly eachChunk: boolean;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly open: OpenReplies;
  readonly background: BackgroundCalls<ChatCall>;
}

export interface ChatCallSpan {
  readonly span: Span;
  readonly spanIsForeign: boolean;
  /** Context in which the call itself runs. */
  readonly inside: Context;
  readonly onEnd: (ended: EndedCall) => void;
}

const NO_GAPS: readonly number[] = [];
const NOTHING_READ: Reply = { closed: false, outputs: [] };

/**
 * One model call: started once, ended once, whoever reports the end first. None of its methods throws,
 * and it never refers to the reply object, so that a dropped reply can be collected. Nor does it keep
 * what it was made of once it has ended: replies refer to it for as long as their reader has them.
 */
export class ChatCall extends Abandonable implements ReplySink {
  readonly #inside: Context;
  #parts: ChatCallParts | undefined;
  #span: ChatCallSpan | undefined;
  #firstChunkMs: number | undefined = undefined;
  #lastChunkMs = 0;
  #gaps = 0;
  #eachGap: number[] | undefined = undefined;
  #replied = false;

  constructor(parts: ChatCallParts, span: ChatCallSpan) {
    super();
    this.#inside = span.inside;
    this.#parts = parts;
    this.#span = span;
  }

  get ended(): boolean {
    return this.#parts === undefined;
  }

  /** Runs the SDK's own call. */
  run<T>(fn: () => T): T {
    return runIn(this.#inside, fn);
  }

  /** Headers have arrived and `handle` is what the body will be read from. */
  arrived(handle: object): void {
    if (this.#parts === undefined) return;
    this.#replied = true;
    this.#parts.open.arrived(this, handle);
  }

  /** Reading has begun. With `handle` the reader may still drop it half-way. */
  reading(handle?: object): void {
    this.#parts?.open.reading(this, handle);
  }

  /** The whole reply of a call that was not streamed. */
  complete(reply: unknown): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#replied = true;
    try {
      parts.reader.whole(reply);
    } catch (error) {
      failedQuietly('reading a reply', error);
    }
    const read = resultOf(parts);
    const { responseId } = read;
    if (responseId !== undefined) {
      if (read.pending === true) {
        parts.background.add(responseId, this);
        return;
      }
      parts.background.ended(responseId);
    }
    this.#end(read.failure === undefined ? 'ok' : 'error', read.failure, read);
  }

  /** One event of a stream. */
  event(event: unknown): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#replied = true;
    this.#chunkArrived(elapsedMs(parts), parts.eachChunk);
    try {
      parts.reader.event(event);
    } catch (error) {
      failedQuietly('reading a stream event', error);
    }
  }

  /** The stream was read to its end (`done`), or its reader left. */
  streamEnded(done = false): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    if (done) quietly('ending a stream', () => parts.reader.done?.());
    const read = resultOf(parts);
    if (read.failure !== undefined) this.#end('error', read.failure, read);
    else this.#end(read.closed ? 'ok' : 'aborted', undefined, read);
  }

  failed(error: unknown): void {
    if (this.#parts === undefined) return;
    this.failedWith(failureOf(error, this.#replied));
  }

  failedWith(failure: Failure): void {
    if (this.#parts === undefined) return;
    const read = resultOf(this.#parts);
    this.#end(
      read.closed && failure.outcome === 'aborted' ? 'ok' : failure.outcome,
      read.closed && failure.outcome === 'aborted' ? undefined : failure.type,
      read,
    );
  }

  /** Ends without a record: a layer below has made it. */
  dismiss(): void {
    this.#parts?.open.ended(this);
    this.#parts = undefined;
    this.#span = undefined;
  }

  /** Nobody can read the reply any more, or nobody will. */
  abandon(): void {
    this.streamEnded();
  }

  #chunkArrived(atMs: number, keepEach: boolean): void {
    if (this.#firstChunkMs === undefined) this.#firstChunkMs = atMs;
    else {
      this.#gaps += 1;
      if (keepEach) (this.#eachGap ??= []).push(atMs - this.#lastChunkMs);
    }
    this.#lastChunkMs = atMs;
  }

  #chunkGapsMs(): readonly number[] {
    if (this.#eachGap !== undefined) return this.#eachGap;
    if (this.#firstChunkMs === undefined || this.#gaps === 0) return NO_GAPS;
    return [(this.#lastChunkMs - this.#firstChunkMs) / this.#gaps];
  }

  #end(outcome: Outcome, errorType: string | undefined, reply: Reply): void {
    const parts = this.#parts;
    const span = this.#span;
    this.dismiss();
    if (parts === undefined || span === undefined) return;
    try {
      span.onEnd({
        provider: parts.provider,
        shape: parts.shape,
        facts: parts.facts,
        request: parts.request,
        serverAddress: parts.serverAddress,
        serverPort: parts.serverPort,
        usageContext: parts.usageContext,
        span: span.span,
        spanIsForeign: span.spanIsForeign,
        startedAtMs: parts.startedAtMs,
        durationMs: elapsedMs(parts),
        timeToFirstChunkMs: this.#firstChunkMs,
        chunkGapsMs: this.#chunkGapsMs(),
        outcome,
        errorType,
        reply,
        replied: this.#replied,
        tokenStatistics: parts.tokenStatistics,
      });
    } catch (error) {
      failedQuietly('ending a call', error);
    }
  }
}

function resultOf({ reader }: ChatCallParts): Reply {
  try {
    return reader.result();
  } catch (error) {
    failedQuietly('reading usage', error);
    return NOTHING_READ;
  }
}

function elapsedMs({ clock, startedMonotonicMs }: ChatCallParts): number {
  return clock.monotonicMs() - startedMonotonicMs;
}
