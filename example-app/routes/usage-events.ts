import type { Context } from 'koa';
import type { UsageReader } from 'otel-token-meter/exporter';
import { teamsOf } from '../middleware/authentication.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import type { UsageHealth } from './dashboard-health.ts';
import { type StreamedEvent, eventSchema } from './event-stream.ts';
import { type ReaderFor, teamView } from './team-view.ts';
import {
  type EventTopic,
  TOO_MANY_STREAMS,
  Watchers,
  type WatchersOptions,
  watchTopics,
} from './watchers.ts';

export interface UsageEventsOptions extends WatchersOptions {
  readonly reader: UsageReader;
  readonly health: (teams: readonly string[] | undefined) => UsageHealth;
  /** How often the ledger is looked at while somebody watches. @default 1000 */
  readonly everyMs?: number;
}

/** Where the newest records are looked for; older ones that come late are no news. */
const RECENT_MS = 3_600_000;
/** So many, since those of several instances do not come in their order. */
const NEWEST = 20;
/** Those that nobody watches are kept up to so many, so that their sequences go on. */
const MAX_VIEWS = 100;

/** What clients see that may see the same teams. */
interface View {
  /** Undefined: all. */
  readonly teams: readonly string[] | undefined;
  readonly reader: UsageReader;
  watchers: number;
  sequence: number;
  /** Ids of the newest records, or why they are unknown; undefined before the first look. */
  seen: string | undefined;
  /** A look under way. */
  look: Promise<void> | undefined;
  health: string;
}

/** For the clients of one view; what others do is no news to them. */
interface ViewEvent extends StreamedEvent {
  readonly view: View;
}

/**
 * Watches the ledger, not the calls of this process: announced records can be read,
 * and calls of other instances are seen too. One look for all who see the same, none when nobody does.
 */
class UsageWatch implements EventTopic {
  readonly watchers: Watchers;
  readonly #options: UsageEventsOptions;
  readonly #readerFor: ReaderFor;
  readonly #views = new Map<string, View>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UsageEventsOptions) {
    this.#options = options;
    this.#readerFor = teamView(options.reader);
    this.watchers = new Watchers(options);
  }

  /** A client learns the sequence only once changes of it are noticed, so that it misses none after. */
  since(_lastEventId: string, ctx: Context): readonly ViewEvent[] {
    const view = this.#viewOf(ctx);
    const health: ViewEvent = { view, event: 'health', data: this.#options.health(view.teams) };
    if (view.seen !== undefined) return [usageEvent(view), health];
    void this.#lookFor(view);
    return [health];
  }

  follow(): void {
    if (this.#timer === undefined) this.#lookAgain();
  }

  shownTo(ctx: Context): (event: StreamedEvent) => StreamedEvent | undefined {
    const view = this.#viewOf(ctx);
    // What happened while nobody watched is unknown.
    if (view.watchers === 0) view.seen = undefined;
    view.watchers += 1;
    ctx.res.once('close', () => {
      view.watchers -= 1;
    });
    return (event) => ((event as ViewEvent).view === view ? event : undefined);
  }

  #viewOf(ctx: Context): View {
    const teams = teamsOf(ctx);
    const name = JSON.stringify(teams?.toSorted() ?? null);
    let view = this.#views.get(name);
    if (view === undefined) {
      const reader = this.#readerFor(ctx);
      view = {
        teams,
        reader,
        watchers: 0,
        sequence: 0,
        seen: undefined,
        look: undefined,
        health: '',
      };
      this.#views.set(name, view);
    }
    return view;
  }

  #lookAgain(): void {
    this.#timer = setTimeout(() => void this.#look(), this.#options.everyMs ?? 1000);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    for (const [name, view] of this.#views) {
      if (view.watchers > 0) await this.#lookFor(view);
      else if (this.#views.size > MAX_VIEWS) this.#views.delete(name);
    }
    this.#timer = undefined;
    if (this.watchers.size > 0) this.#lookAgain();
  }

  #lookFor(view: View): Promise<void> {
    view.look ??= this.#compare(view).finally(() => {
      view.look = undefined;
    });
    return view.look;
  }

  async #compare(view: View): Promise<void> {
    const newest = await this.#newestRecords(view);
    // A store that went away or came back is news as well.
    if (newest !== view.seen) {
      view.sequence += 1;
      this.watchers.broadcast(usageEvent(view));
    }
    view.seen = newest;
    this.#broadcastHealth(view);
  }

  async #newestRecords({ reader }: View): Promise<string> {
    try {
      const from = new Date(Date.now() - RECENT_MS);
      const { records } = await reader.records({ from, limit: NEWEST });
      return records.map(({ id }) => id).join(' ');
    } catch {
      // The pages ask themselves and say it better.
      return 'unreachable';
    }
  }

  #broadcastHealth(view: View): void {
    const health = this.#options.health(view.teams);
    // What only says that time went by is no news.
    const shown = JSON.stringify(health, (key, value: unknown) =>
      key === 'oldest_age_ms' || key === 'last_success' ? undefined : value,
    );
    if (shown === view.health) return;
    view.health = shown;
    const event: ViewEvent = { view, event: 'health', data: health };
    this.watchers.broadcast(event);
  }
}

function usageEvent(view: View): ViewEvent {
  return { view, event: 'usage', data: { sequence: view.sequence } };
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
        description:
          'Server-sent events; `sequence` of `usage` counts up, and the first `usage` says that changes are noticed from then on',
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
