import type { Context } from 'koa';
import type { MetricsSettings, SettingsService } from 'otel-token-meter/settings';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { EventStream, type StreamedEvent } from './event-stream.ts';
import { listedInstances } from './settings-wire.ts';

export interface SettingsEventsOptions {
  readonly settings: SettingsService<MetricsSettings>;
  readonly stopping?: AbortSignal | undefined;
  /** @default 50 */
  readonly maxStreams?: number;
  /** How often instances are looked at while somebody watches. @default 1000 */
  readonly instancesEveryMs?: number;
}

/** Changes that a client may have missed while it reconnected. */
const REMEMBERED = 100;
/** Who may watch is asked again this often: a stream must not outlive its session for long. */
const MAX_STREAM_MS = 30 * 60_000;
const RETRY_MS = 3000;

/** Tells every watching client what happens to the settings. */
class SettingsEvents {
  readonly #settings: SettingsService<MetricsSettings>;
  readonly #instancesEveryMs: number;
  readonly #streams = new Set<EventStream>();
  readonly #recent: StreamedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #instances: StreamedEvent | undefined;
  #shown = '';

  constructor({ settings, stopping, instancesEveryMs = 1000 }: SettingsEventsOptions) {
    this.#settings = settings;
    this.#instancesEveryMs = instancesEveryMs;
    const ends = [
      settings.subscribe(() => {
        this.#recent.push(this.#settingsEvent());
        if (this.#recent.length > REMEMBERED) this.#recent.shift();
        this.#tell(this.#recent.at(-1)!);
      }),
      settings.subscribeStatus(() => this.#tell(this.#statusEvent())),
    ];
    stopping?.addEventListener('abort', () => {
      for (const end of ends) end();
      for (const stream of this.#streams) stream.end();
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  add(stream: EventStream, lastEventId: string): void {
    for (const event of this.#missedSince(lastEventId)) stream.send(event);
    stream.send(this.#statusEvent());
    if (this.#instances) stream.send(this.#instances);
    this.#streams.add(stream);
    const lifetime = setTimeout(() => stream.end(), MAX_STREAM_MS * (0.8 + 0.4 * Math.random()));
    lifetime.unref();
    stream.onClose(() => {
      clearTimeout(lifetime);
      this.#streams.delete(stream);
    });
    if (this.#timer === undefined) this.#lookAtInstances();
  }

  #missedSince(lastEventId: string): readonly StreamedEvent[] {
    const seen = lastEventId === '' ? Number.NaN : Number(lastEventId);
    if (seen === this.#settings.version) return [];
    const missed = this.#recent.filter(({ id }) => Number(id) > seen);
    return missed.length > 0 ? missed : [this.#settingsEvent()];
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
    const { state, store, staleSince } = this.#settings.status;
    return { event: 'status', data: { state, store, stale_since: staleSince } };
  }

  #tell(event: StreamedEvent): void {
    for (const stream of this.#streams) stream.send(event);
  }

  /** One look for all who watch, and none when nobody does. */
  #lookAtInstances(): void {
    const look = async (): Promise<void> => {
      // While the store is away the last list stays; the status event says so.
      const list = await listedInstances(this.#settings).catch(() => undefined);
      if (list) this.#tellInstances(list);
      this.#timer = undefined;
      if (this.#streams.size === 0) this.#instances = undefined;
      else this.#lookAtInstances();
    };
    const delay = this.#instances === undefined ? 0 : this.#instancesEveryMs;
    this.#timer = setTimeout(() => void look(), delay);
    this.#timer.unref();
  }

  #tellInstances(list: Awaited<ReturnType<typeof listedInstances>>): void {
    // What only says that time went by is no news.
    const shown = JSON.stringify(list.instances, (key, value: unknown) =>
      key === 'last_seen_at' || key === 'uptime_seconds' ? undefined : value,
    );
    const isNews = this.#instances === undefined || shown !== this.#shown;
    this.#instances = { event: 'instances', data: list };
    this.#shown = shown;
    if (isNews) this.#tell(this.#instances);
  }
}

/** `/api/settings/metrics/events`: changes, the state of the store, and the instances, live. */
export function settingsEventsRoute(options: SettingsEventsOptions): ApiRoute {
  const events = new SettingsEvents(options);
  const { stopping, maxStreams = 50 } = options;
  return apiRoute({
    method: 'get',
    path: '/api/settings/metrics/events',
    summary: 'Events `settings`, `status` and `instances`; survives reconnects by Last-Event-ID',
    role: 'viewer',
    answers: {
      200: {
        description: 'Server-sent events; the id of `settings` is its version',
        schema: z.string(),
        type: 'text/event-stream',
      },
    },
    handle(ctx: Context) {
      if (stopping?.aborted || events.size >= maxStreams) {
        ctx.throw(503, 'No more streams; poll instead, or try again.', {
          code: 'too_many_streams',
          headers: { 'retry-after': '10' },
          expose: true,
        });
      }
      const retryMs = RETRY_MS * (0.7 + 0.6 * Math.random());
      events.add(new EventStream(ctx, { retryMs }), ctx.get('last-event-id'));
    },
  });
}
