import type { Context } from 'koa';
import { z } from 'zod';
import { callerOf, identityOf } from '../middleware/authentication.ts';
import type { ApiAnswer } from './api-answer.ts';
import { retryAfter } from './api-headers.ts';
import { EventStream, type StreamedEvent } from './event-stream.ts';

export interface WatchersOptions {
  /** Aborted at the shutdown: all streams end and no new one begins. */
  readonly stopping?: AbortSignal | undefined;
  /** @default 50 */
  readonly maxStreams?: number | undefined;
  /** Of one caller, so that none takes all. @default 8 */
  readonly maxStreamsEach?: number | undefined;
  /** How often it is asked whether a client may still watch, ms. @default 15000 */
  readonly checkEveryMs?: number | undefined;
}

/** Something to watch. */
export interface EventTopic {
  readonly watchers: Watchers;
  /** What a client begins with that has seen the event of this id. */
  since(lastEventId: string, ctx: Context): readonly StreamedEvent[];
  /** Somebody watches now. */
  follow(): void;
  /** What this client may see of an event; undefined for nothing of it. @default all of it */
  shownTo?(ctx: Context): Shown | undefined;
}

type Shown = (event: StreamedEvent) => StreamedEvent | undefined;

/** In the description of a route that answers with a stream. */
export const TOO_MANY_STREAMS: ApiAnswer = {
  description: 'Too many streams are open, or the application is being stopped',
  headers: z.object(retryAfter),
};

/** So that a client that nobody looks at does not hold a stream for ever. */
const MAX_STREAM_MS = 30 * 60_000;
const RETRY_MS = 3000;

/**
 * Answers with one stream of all these topics. Throws 503 when one has too many streams, 429 when this
 * caller has too many.
 */
export function watchTopics(ctx: Context, topics: readonly EventTopic[]): void {
  const caller = callerOf(ctx);
  for (const { watchers } of topics) watchers.admit(ctx, caller);
  const lastEventId = ctx.get('last-event-id');
  const stream = new EventStream(ctx, { retryMs: RETRY_MS * spread(0.3) });
  const lifetime = setTimeout(() => stream.end(), MAX_STREAM_MS * spread(0.2));
  lifetime.unref();
  // A stream must not outlive its session for long.
  const check = setInterval(
    () => {
      void identityOf(ctx)
        ?.isCurrent()
        .then((isCurrent) => {
          if (!isCurrent) stream.end();
        });
    },
    Math.min(...topics.map(({ watchers }) => watchers.checkEveryMs)),
  );
  check.unref();
  stream.onClose(() => {
    clearTimeout(lifetime);
    clearInterval(check);
  });
  for (const topic of topics) {
    const shown: Shown = topic.shownTo?.(ctx) ?? ((event) => event);
    topic.watchers.add(stream, caller, shown);
    for (const event of topic.since(lastEventId, ctx)) sendShown(stream, shown, event);
    topic.follow();
  }
}

interface Watcher {
  readonly caller: string;
  readonly shown: Shown;
}

/** The clients that watch one topic, bounded in number and time. */
export class Watchers {
  readonly checkEveryMs: number;
  readonly #stopping: AbortSignal | undefined;
  readonly #maxStreams: number;
  readonly #maxStreamsEach: number;
  readonly #streams = new Map<EventStream, Watcher>();

  constructor(options: WatchersOptions) {
    const { stopping, maxStreams = 50, maxStreamsEach = 8, checkEveryMs = 15_000 } = options;
    this.checkEveryMs = checkEveryMs;
    this.#stopping = stopping;
    this.#maxStreams = maxStreams;
    this.#maxStreamsEach = maxStreamsEach;
    stopping?.addEventListener('abort', () => {
      for (const stream of this.#streams.keys()) {
        stream.send({ event: 'end', data: { reason: 'stopping' } });
        stream.end();
      }
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  admit(ctx: Context, caller: string): void {
    if (this.#stopping?.aborted || this.#streams.size >= this.#maxStreams) {
      ctx.throw(503, 'No more streams; poll instead, or try again.', {
        code: 'too_many_streams',
        headers: { 'retry-after': '10' },
        expose: true,
      });
    }
    const own = [...this.#streams.values()].filter((each) => each.caller === caller).length;
    if (own >= this.#maxStreamsEach) {
      ctx.throw(429, `No more than ${this.#maxStreamsEach} streams each; close another one.`, {
        code: 'too_many_streams',
        headers: { 'retry-after': '10' },
      });
    }
  }

  add(stream: EventStream, caller: string, shown: Shown): void {
    this.#streams.set(stream, { caller, shown });
    stream.onClose(() => this.#streams.delete(stream));
  }

  broadcast(event: StreamedEvent): void {
    for (const [stream, { shown }] of this.#streams) sendShown(stream, shown, event);
  }
}

function sendShown(stream: EventStream, shown: Shown, event: StreamedEvent): void {
  const part = shown(event);
  if (part !== undefined) stream.send(part);
}

/** So that clients do not come back all at once. */
function spread(part: number): number {
  return 1 + part * (2 * Math.random() - 1);
}
