import type { Context } from '@opentelemetry/api';
import { mergeUsage, NO_USAGE_CONTEXT, runIn } from '../context.ts';
import type { BudgetRefusal } from '../domain/call-budgets.ts';
import type { Failure } from '../domain/failure.ts';
import type { Reply } from '../domain/reply.ts';
import type { ReplyReader } from '../domain/reply-reader.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { Outcome } from '../domain/usage-record.ts';
import type { BegunCall } from './begun-call.ts';
import type { OpenCall, OpenCalls } from './open-calls.ts';
import type { Clock } from './clock.ts';
import { failureOf, isGone } from './failure.ts';
import { failedQuietly, quietly } from '../host/quietly.ts';
import type { ReplySink } from './reply-sink.ts';

const UNREADABLE: Failure = { outcome: 'error', type: 'Error' };

export interface ChatCallParts {
  readonly begun: BegunCall;
  readonly reader: ReplyReader;
  readonly clock: Clock;
  readonly startedMs: number;
  /** Every gap between chunks is kept, not only their mean. */
  readonly eachChunk: boolean;
  readonly open: OpenCalls<ChatCall>;
  readonly onEnd: (ended: EndedCall) => void;
}

const NO_GAPS: readonly number[] = [];
const NOTHING_READ: Reply = { closed: false, outputs: [] };

/**
 * One model call: started once, ended once, whoever reports the end first. None of its methods throws,
 * and it never refers to the reply object, so that a dropped reply can be collected. Nor does it keep
 * what it was made of once it has ended: replies refer to it for as long as their reader has them.
 */
export class ChatCall implements ReplySink, OpenCall {
  /** A budget has no room for the call: it has a record already, and must not be sent. */
  readonly refusal: BudgetRefusal | undefined;
  readonly #inside: Context;
  #parts: ChatCallParts | undefined;
  #firstChunkMs: number | undefined = undefined;
  #lastChunkMs = 0;
  #gaps = 0;
  #eachGap: number[] | undefined = undefined;
  #replied = false;
  #repliedInMs: number | undefined = undefined;
  #costUsd: number | undefined = undefined;
  #learnt: UsageContext = NO_USAGE_CONTEXT;

  /** `inside`: the Context in which the call itself runs. Without parts it only runs there: nothing is recorded of it. */
  constructor(parts: ChatCallParts | BudgetRefusal | undefined, inside: Context) {
    this.#inside = inside;
    const isRefused = parts !== undefined && 'budgetId' in parts;
    this.refusal = isRefused ? parts : undefined;
    this.#parts = isRefused ? undefined : parts;
    this.#parts?.open.started(this);
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
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#replied = true;
    quietly('reading a reply', () => parts.reader.begun?.());
    parts.open.arrived(this, handle);
  }

  /**
   * Whether this is the call of a reply that its reader reports before he has read it to its end. Asked
   * of calls of one model, since what was received so far has to be gone through.
   */
  isReceiving(responseId: string, model: string | undefined): boolean {
    const parts = this.#parts;
    if (parts === undefined || !this.#replied) return false;
    const asked = parts.begun.facts.model;
    if (asked !== undefined && model !== undefined && asked !== model) return false;
    return resultOf(parts).responseId === responseId;
  }

  /** What somebody else knows of the call: it applies where the call itself says nothing. */
  learn(usage: UsageContext): void {
    this.#learnt = mergeUsage(usage, this.#learnt);
  }

  /** US dollars that a gateway reports beside the reply. */
  costs(dollars: number): void {
    this.#costUsd = dollars;
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
    this.#end(read, read.cancelled === true ? 'aborted' : 'ok');
  }

  /** One event of a stream. */
  event(event: unknown): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#replied = true;
    this.#chunkArrived(elapsedMs(parts), parts.eachChunk);
    readEvent(parts, event);
  }

  /** An event without anything of the reply in it: it is no chunk. */
  announced(event: unknown): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#replied = true;
    readEvent(parts, event);
  }

  /** The reply is whole; its tokens may still be reported. */
  replied(): void {
    const parts = this.#parts;
    if (parts !== undefined) this.#repliedInMs ??= elapsedMs(parts);
  }

  /** The stream was read to its end (`done`), or its reader left. */
  streamEnded(done = false): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    if (done) quietly('ending a stream', () => parts.reader.done?.());
    const read = resultOf(parts);
    this.#end(read, read.closed && read.cancelled !== true ? 'ok' : 'aborted');
  }

  failed(error: unknown): void {
    if (this.#parts === undefined) return;
    // What the host is about to catch may throw when it is read.
    const failure = quietly('reading an error', () => failureOf(error, this.#replied));
    const gone = quietly('reading an error', () => isGone(error));
    this.failedWith(failure ?? UNREADABLE, gone);
  }

  /** `gone`: the provider has no such reply, so it cannot be fetched later either. */
  failedWith({ outcome, type }: Failure, gone = false): void {
    if (this.#parts === undefined) return;
    const read = resultOf(this.#parts);
    const isWhole = read.closed && outcome === 'aborted';
    if (isWhole) this.#end(read, 'ok');
    else this.#end(gone ? { ...read, pending: false } : read, outcome, type);
  }

  close(): void {
    if (this.#parts === undefined) return;
    const read = { ...resultOf(this.#parts), pending: false };
    this.#end(read, read.closed && read.cancelled !== true ? 'ok' : 'aborted');
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

  #end(reply: Reply, outcome: Outcome, errorType?: string): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    const { responseId } = reply;
    if (reply.pending === true && responseId !== undefined) {
      parts.open.park(this, responseId);
      return;
    }
    parts.open.ended(this, responseId);
    this.#parts = undefined;
    const { failure } = reply;
    try {
      parts.onEnd({
        ...parts.begun,
        usageContext: mergeUsage(this.#learnt, parts.begun.usageContext),
        durationMs: this.#repliedInMs ?? elapsedMs(parts),
        timeToFirstChunkMs: this.#firstChunkMs,
        chunkGapsMs: this.#chunkGapsMs(),
        outcome: failure === undefined || errorType !== undefined ? outcome : 'error',
        errorType: errorType ?? failure,
        reply: { ...reply, costUsd: reply.costUsd ?? this.#costUsd },
        replied: this.#replied,
      });
    } catch (error) {
      failedQuietly('ending a call', error);
    }
  }
}

function readEvent({ reader }: ChatCallParts, event: unknown): void {
  try {
    reader.event(event);
  } catch (error) {
    failedQuietly('reading a stream event', error);
  }
}

function resultOf({ reader, begun }: ChatCallParts): Reply {
  try {
    const read = reader.result();
    // A stream of it may be cut or left: the provider works on all the same.
    const isOpen = begun.facts.background === true && !read.closed && read.failure === undefined;
    return isOpen ? { ...read, pending: true } : read;
  } catch (error) {
    failedQuietly('reading usage', error);
    return NOTHING_READ;
  }
}

function elapsedMs({ clock, startedMs }: ChatCallParts): number {
  return clock.monotonicMs() - startedMs;
}
