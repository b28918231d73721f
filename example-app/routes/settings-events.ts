import type { MetricsSettings, SettingsService } from 'otel-token-meter/settings';
import { z } from 'zod';
import { lastEventId } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { type StreamedEvent, eventSchema } from './event-stream.ts';
import { listedInstances } from './settings-wire.ts';
import {
  type EventTopic,
  TOO_MANY_STREAMS,
  Watchers,
  type WatchersOptions,
  watchTopics,
} from './watchers.ts';

export interface SettingsEventsOptions extends WatchersOptions {
  readonly settings: SettingsService<MetricsSettings>;
  /** How often instances are looked at while somebody watches. @default 1000 */
  readonly instancesEveryMs?: number;
}

/** Changes that a client may have missed while it reconnected. */
const REMEMBERED = 100;

/** Events about the settings for connected clients. */
class SettingsEvents implements EventTopic {
  readonly watchers: Watchers;
  readonly #settings: SettingsService<MetricsSettings>;
  readonly #instancesEveryMs: number;
  readonly #recent: StreamedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #instances: StreamedEvent | undefined;
  #shown = '';
  #epoch = '';
  #wasInterrupted = false;

  constructor({ settings, instancesEveryMs = 1000, ...options }: SettingsEventsOptions) {
    this.watchers = new Watchers(options);
    this.#settings = settings;
    this.#noteEpoch();
    this.#instancesEveryMs = instancesEveryMs;
    const ends = [
      settings.subscribe(() => {
        this.#noteEpoch();
        const event = this.#settingsEvent();
        this.#recent.push(event);
        if (this.#recent.length > REMEMBERED) this.#recent.shift();
        this.watchers.broadcast(event);
      }),
      settings.subscribeStatus(() => this.watchers.broadcast(this.#statusEvent())),
    ];
    options.stopping?.addEventListener('abort', () => {
      for (const end of ends) end();
    });
  }

  since(lastEventId: string): readonly StreamedEvent[] {
    const instances = this.#instances ? [this.#instances] : [];
    return [...this.#missedSince(lastEventId), this.#statusEvent(), ...instances];
  }

  /** One look for all who watch, and none when nobody does. */
  follow(): void {
    if (this.#timer !== undefined) return;
    const look = async (): Promise<void> => {
      // While the store is away the last list stays; the status event says so.
      const list = await listedInstances(this.#settings).catch(() => undefined);
      if (list) this.#broadcastInstances(list);
      this.#timer = undefined;
      if (this.watchers.size === 0) this.#instances = undefined;
      else this.follow();
    };
    const delay = this.#instances === undefined ? 0 : this.#instancesEveryMs;
    this.#timer = setTimeout(() => void look(), delay);
    this.#timer.unref();
  }

  #missedSince(lastEventId: string): readonly StreamedEvent[] {
    const seen = lastEventId === '' ? Number.NaN : Number(lastEventId);
    // Versions of another epoch may have the same number.
    if (this.#wasInterrupted) return [this.#settingsEvent()];
    if (seen === this.#settings.version) return [];
    const missed = this.#recent.filter(({ id }) => Number(id) > seen);
    return missed.length > 0 ? missed : [this.#settingsEvent()];
  }

  /** Whether the history of versions that clients have seen was interrupted. */
  #noteEpoch(): void {
    const { epoch } = this.#settings;
    if (this.#epoch !== '' && epoch !== this.#epoch) this.#wasInterrupted = true;
    this.#epoch = epoch;
  }

  #settingsEvent(): StreamedEvent {
    const { version, updated } = this.#settings;
    const data = {
      version,
      settings: this.#settings.get(),
      updated_at: updated.at,
      updated_by: updated.by,
    };
    return { id: version, event: 'settings', data };
  }

  #statusEvent(): StreamedEvent {
    const { state, store, staleSince, problem } = this.#settings.status;
    return { event: 'status', data: { state, store, stale_since: staleSince, problem } };
  }

  #broadcastInstances(list: Awaited<ReturnType<typeof listedInstances>>): void {
    // What only says that time went by is no news.
    const shown = JSON.stringify(list.instances, (key, value: unknown) =>
      key === 'last_seen_at' || key === 'uptime_seconds' ? undefined : value,
    );
    const isNews = this.#instances === undefined || shown !== this.#shown;
    this.#instances = { event: 'instances', data: list };
    this.#shown = shown;
    if (isNews) this.watchers.broadcast(this.#instances);
  }
}

/** `/api/settings/metrics/events`: changes, the state of the store, and the instances, live. */
export function settingsEventsRoute(options: SettingsEventsOptions): ApiRoute {
  const events = new SettingsEvents(options);
  return apiRoute({
    method: 'get',
    topic: events,
    path: '/api/settings/metrics/events',
    summary: 'Events `settings`, `status` and `instances`; survives reconnects by Last-Event-ID',
    role: 'viewer',
    headers: z.object(lastEventId),
    answers: {
      200: {
        description: 'Server-sent events; the id of `settings` is its version',
        schema: eventSchema('settings', 'status', 'instances', 'end'),
        type: 'text/event-stream',
      },
      503: TOO_MANY_STREAMS,
    },
    handle(ctx) {
      watchTopics(ctx, [events]);
    },
  });
}
