import type { Context, Span } from '@opentelemetry/api';
import { runIn, type UsageContext } from '../context.ts';
import type {
  CallShape,
  Failure,
  Reply,
  ReplyReader,
  RequestFacts,
} from '../providers/provider.ts';
import type { Outcome } from '../usage/usage-record.ts';
import { unwatch, watchHandle, type Abandonable, type UnreadReplies } from './abandoned.ts';
import type { Clock } from './clock.ts';
import { failureOf } from './failure.ts';
import { quietly } from './quietly.ts';
import type { ReplySink } from './reply-sink.ts';

/** What a call hands on when it has ended, however it ended. */
export interface EndedCall {
  readonly provider: string;
  readonly shape: CallShape;
  readonly facts: RequestFacts;
  /** Taken at the start; undefined when nothing will be counted or captured from it. */
  readonly request: unknown;
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  readonly usageContext: UsageContext;
  readonly span: Span;
  /** The SDK made the span and ends it; only attributes may be added. */
  readonly spanIsForeign: boolean;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly timeToFirstChunkMs: number | undefined;
  /** Times from one chunk to the next: each of them, or their mean alone. */
  readonly chunkGapsMs: readonly number[];
  readonly outcome: Outcome;
  readonly errorType: string | undefined;
  readonly reply: Reply;
  /** Something of a reply arrived, so the provider has worked on the request. */
  readonly replied: boolean;
  /** State of the switch when the call started. */
  readonly tokenStatistics: boolean;
}

export interface ChatCallParts {
  readonly provider: string;
  readonly shape: CallShape;
  readonly facts: RequestFacts;
  readonly request: unknown;
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  readonly usageContext: UsageContext;
  readonly span: Span;
  readonly spanIsForeign: boolean;
  /** Context in which the call itself runs. */
  readonly inside: Context;
  readonly tokenStatistics: boolean;
  readonly reader: ReplyReader;
  readonly clock: Clock;
  /** Every gap between chunks is kept, not only their mean. */
  readonly eachChunk: boolean;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly unread: UnreadReplies;
  readonly onEnd: (ended: EndedCall) => void;
}

const NO_GAPS: readonly number[] = [];
const NOTHING_READ: Reply = { closed: false, outputs: [] };

/**
 * One model call: started once, ended once, whoever reports the end first. None of its methods throws,
 * and it never refers to the reply object, so that a dropped reply can be collected.
 */
export class ChatCall implements Abandonable, ReplySink {
  watched = false;
  readonly #parts: ChatCallParts;
  #firstChunkMs: number | undefined;
  #lastChunkMs = 0;
  #gaps = 0;
  #eachGap: number[] | undefined;
  #replied = false;
  #ended = false;

  constructor(parts: ChatCallParts) {
    this.#parts = parts;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get span(): Span {
    return this.#parts.span;
  }

  /** Runs the SDK's own call. */
  run<T>(fn: () => T): T {
    return runIn(this.#parts.inside, fn);
  }

  /** Headers have arrived and `handle` is what the body will be read from. */
  arrived(handle: object): void {
    if (this.#ended) return;
    this.#replied = true;
    this.#parts.unread.add(this);
    watchHandle(this, handle);
  }

  /** Reading has begun. With `handle` the reader may still drop it half-way. */
  reading(handle?: object): void {
    this.#parts.unread.delete(this);
    if (this.#ended) return;
    if (handle === undefined) unwatch(this);
    else watchHandle(this, handle);
  }

  /** The whole reply of a call that was not streamed. */
  complete(reply: unknown): void {
    if (this.#ended) return;
    this.#replied = true;
    quietly('reading a reply', () => this.#parts.reader.whole(reply));
    const read = this.#read();
    this.#end(read.failure === undefined ? 'ok' : 'error', read.failure, read);
  }

  /** One event of a stream. */
  event(event: unknown): void {
    if (this.#ended) return;
    this.#replied = true;
    this.#chunkArrived(this.#elapsedMs());
    try {
      this.#parts.reader.event(event);
    } catch (error) {
      quietly('reading a stream event', () => {
        throw error;
      });
    }
  }

  /** The stream was read to its end (`done`), or its reader left. */
  streamEnded(done = false): void {
    if (this.#ended) return;
    if (done) quietly('ending a stream', () => this.#parts.reader.done?.());
    const read = this.#read();
    if (read.failure !== undefined) this.#end('error', read.failure, read);
    else this.#end(read.closed ? 'ok' : 'aborted', undefined, read);
  }

  failed(error: unknown): void {
    if (this.#ended) return;
    this.failedWith(failureOf(error, this.#replied));
  }

  failedWith(failure: Failure): void {
    if (this.#ended) return;
    const read = this.#read();
    this.#end(
      read.closed && failure.outcome === 'aborted' ? 'ok' : failure.outcome,
      read.closed && failure.outcome === 'aborted' ? undefined : failure.type,
      read,
    );
  }

  /** Ends without a record: a layer below has made it. */
  dismiss(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts.unread.delete(this);
    unwatch(this);
  }

  /** Nobody can read the reply any more, or nobody will. */
  abandon(): void {
    this.streamEnded();
  }

  #read(): Reply {
    return quietly('reading usage', () => this.#parts.reader.result()) ?? NOTHING_READ;
  }

  #chunkArrived(atMs: number): void {
    if (this.#firstChunkMs === undefined) this.#firstChunkMs = atMs;
    else {
      this.#gaps += 1;
      if (this.#parts.eachChunk) (this.#eachGap ??= []).push(atMs - this.#lastChunkMs);
    }
    this.#lastChunkMs = atMs;
  }

  #chunkGapsMs(): readonly number[] {
    if (this.#eachGap !== undefined) return this.#eachGap;
    if (this.#firstChunkMs === undefined || this.#gaps === 0) return NO_GAPS;
    return [(this.#lastChunkMs - this.#firstChunkMs) / this.#gaps];
  }

  #elapsedMs(): number {
    return this.#parts.clock.monotonicMs() - this.#parts.startedMonotonicMs;
  }

  #end(outcome: Outcome, errorType: string | undefined, reply: Reply): void {
    this.#ended = true;
    const parts = this.#parts;
    parts.unread.delete(this);
    unwatch(this);
    quietly('ending a call', () =>
      parts.onEnd({
        provider: parts.provider,
        shape: parts.shape,
        facts: parts.facts,
        request: parts.request,
        serverAddress: parts.serverAddress,
        serverPort: parts.serverPort,
        usageContext: parts.usageContext,
        span: parts.span,
        spanIsForeign: parts.spanIsForeign,
        startedAtMs: parts.startedAtMs,
        durationMs: this.#elapsedMs(),
        timeToFirstChunkMs: this.#firstChunkMs,
        chunkGapsMs: this.#chunkGapsMs(),
        outcome,
        errorType,
        reply,
        replied: this.#replied,
        tokenStatistics: parts.tokenStatistics,
      }),
    );
  }
}
