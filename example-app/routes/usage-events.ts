import type { Context } from 'koa';
import type { UsageReader } from 'otel-token-meter/exporter';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from './api-route.ts';
import type { UsageHealth } from './dashboard-health.ts';
import { EventStream } from './event-stream.ts';

export interface UsageEventsOptions {
  readonly reader: Pick<UsageReader, 'records'>;
  readonly health: () => UsageHealth;
  readonly stopping?: AbortSignal | undefined;
  /** @default 50 */
  readonly maxStreams?: number;
  /** How often the ledger is looked at while somebody watches. @default 1000 */
  readonly everyMs?: number;
}

/** Who may watch is asked again this often: a stream must not outlive its session for long. */
const MAX_STREAM_MS = 30 * 60_000;
const RETRY_MS = 3000;
/** Where the newest record is looked for; older ones that come late are no news. */
const RECENT_MS = 3_600_000;

/**
 * Looks at the ledger itself, not at the calls of this process: what is told is there to be read,
 * and calls of other instances are seen too. One look for all who watch, none when nobody does.
 */
class UsageWatch {
  readonly #options: UsageEventsOptions;
  readonly #streams = new Set<EventStream>();
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;
  /** Id of the newest record, or why it is unknown. */
  #seen: string | undefined;
  #health = '';

  constructor(options: UsageEventsOptions) {
    this.#options = options;
    options.stopping?.addEventListener('abort', () => {
      for (const stream of this.#streams) stream.end();
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  add(stream: EventStream): void {
    stream.send(this.#usageEvent());
    stream.send({ event: 'health', data: this.#options.health() });
    this.#streams.add(stream);
    const lifetime = setTimeout(() => stream.end(), MAX_STREAM_MS * (0.8 + 0.4 * Math.random()));
    lifetime.unref();
    stream.onClose(() => {
      clearTimeout(lifetime);
      this.#streams.delete(stream);
    });
    if (this.#timer === undefined) this.#lookIn(0);
  }

  #usageEvent(): { id: number; event: 'usage'; data: { sequence: number } } {
    return { id: this.#sequence, event: 'usage', data: { sequence: this.#sequence } };
  }

  #lookIn(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#look(), delayMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const newest = await this.#newestRecord();
    // The first look says where things stand; a store that went away or came back is news as well.
    if (this.#seen !== undefined && newest !== this.#seen) {
      this.#sequence += 1;
      for (const stream of this.#streams) stream.send(this.#usageEvent());
    }
    this.#seen = newest;
    this.#tellHealth();
    this.#timer = undefined;
    if (this.#streams.size > 0) this.#lookIn(this.#options.everyMs ?? 1000);
    else this.#seen = undefined;
  }

  async #newestRecord(): Promise<string> {
    try {
      const from = new Date(Date.now() - RECENT_MS);
      const { records } = await this.#options.reader.records({ from, limit: 1 });
      return records[0]?.id ?? 'none';
    } catch {
      // The pages ask themselves and say it better.
      return 'unreachable';
    }
  }

  #tellHealth(): void {
    const health = this.#options.health();
    // What only says that time went by is no news.
    const shown = JSON.stringify(health, (key, value: unknown) =>
      key === 'oldest_age_ms' || key === 'last_success' ? undefined : value,
    );
    if (shown === this.#health) return;
    this.#health = shown;
    for (const stream of this.#streams) stream.send({ event: 'health', data: health });
  }
}

/** `GET /api/usage/events`: says that there is something new, not what; pages ask again. */
export function usageEventsRoute(options: UsageEventsOptions): ApiRoute {
  const watch = new UsageWatch(options);
  const { stopping, maxStreams = 50 } = options;
  return apiRoute({
    method: 'get',
    path: '/api/usage/events',
    summary: 'Events `usage` when the ledger has news and `health` when that of the exporter has',
    role: 'viewer',
    answers: {
      200: {
        description: 'Server-sent events; the id of `usage` counts up',
        schema: z.string(),
        type: 'text/event-stream',
      },
    },
    handle(ctx: Context) {
      if (stopping?.aborted || watch.size >= maxStreams) {
        ctx.throw(503, 'No more streams; poll instead, or try again.', {
          code: 'too_many_streams',
          headers: { 'retry-after': '10' },
          expose: true,
        });
      }
      const retryMs = RETRY_MS * (0.7 + 0.6 * Math.random());
      watch.add(new EventStream(ctx, { retryMs }));
    },
  });
}
