import type { UsageReader } from 'otel-token-meter/exporter';
import { type ApiRoute, apiRoute } from './api-route.ts';
import type { UsageHealth } from './dashboard-health.ts';
import { type StreamedEvent, eventSchema } from './event-stream.ts';
import {
  type EventTopic,
  TOO_MANY_STREAMS,
  Watchers,
  type WatchersOptions,
  watchTopics,
} from './watchers.ts';

export interface UsageEventsOptions extends WatchersOptions {
  readonly reader: Pick<UsageReader, 'records'>;
  readonly health: () => UsageHealth;
  /** How often the ledger is looked at while somebody watches. @default 1000 */
  readonly everyMs?: number;
}

/** Where the newest record is looked for; older ones that come late are no news. */
const RECENT_MS = 3_600_000;

/**
 * Watches the ledger, not the calls of this process: announced records can be read,
 * and calls of other instances are seen too. One look for all who watch, none when nobody does.
 */
class UsageWatch implements EventTopic {
  readonly watchers: Watchers;
  readonly #options: UsageEventsOptions;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;
  /** Id of the newest record, or why it is unknown. */
  #seen: string | undefined;
  #health = '';

  constructor(options: UsageEventsOptions) {
    this.#options = options;
    this.watchers = new Watchers(options);
  }

  since(): readonly StreamedEvent[] {
    return [this.#usageEvent(), { event: 'health', data: this.#options.health() }];
  }

  follow(): void {
    if (this.#timer === undefined) this.#lookIn(0);
  }

  #usageEvent(): StreamedEvent {
    return { event: 'usage', data: { sequence: this.#sequence } };
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
      this.watchers.broadcast(this.#usageEvent());
    }
    this.#seen = newest;
    this.#broadcastHealth();
    this.#timer = undefined;
    if (this.watchers.size > 0) this.#lookIn(this.#options.everyMs ?? 1000);
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

  #broadcastHealth(): void {
    const health = this.#options.health();
    // What only says that time went by is no news.
    const shown = JSON.stringify(health, (key, value: unknown) =>
      key === 'oldest_age_ms' || key === 'last_success' ? undefined : value,
    );
    if (shown === this.#health) return;
    this.#health = shown;
    this.watchers.broadcast({ event: 'health', data: health });
  }
}

/** `GET /api/usage/events`: says that there is something new, not what; pages ask again. */
export function usageEventsRoute(options: UsageEventsOptions): ApiRoute {
  const watch = new UsageWatch(options);
  return apiRoute({
    method: 'get',
    topic: watch,
    path: '/api/usage/events',
    summary: 'Events `usage` when the ledger has news and `health` when that of the exporter has',
    role: 'viewer',
    answers: {
      200: {
        description: 'Server-sent events; `sequence` of `usage` counts up',
        schema: eventSchema('usage', 'health', 'end'),
        type: 'text/event-stream',
      },
      503: TOO_MANY_STREAMS,
    },
    handle(ctx) {
      watchTopics(ctx, [watch]);
    },
  });
}
