import type { Context } from 'koa';
import type { SettingsService } from 'otel-token-meter/settings';
import { z } from 'zod';
import { lastEventId } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { type StreamedEvent, eventSchema } from './event-stream.ts';
import { teamsOf } from '../middleware/authentication.ts';
import {
  type InstanceList,
  listedInstances,
  type PassingList,
  passingList,
  shownInstances,
} from './settings-wire.ts';
import {
  type EventTopic,
  TOO_MANY_STREAMS,
  Watchers,
  type WatchersOptions,
  watchTopics,
} from './watchers.ts';

export interface SettingsEventsOptions<T extends object> extends WatchersOptions {
  readonly settings: SettingsService<T>;
  /** How often instances are looked at while somebody watches. @default 1000 */
  readonly instancesEveryMs?: number;
}

/** The document whose events these are. */
export interface EventsDocument<T> {
  /** `/api/settings/metrics` */
  readonly path: string;
  /** Names of its events in the one stream of everything. */
  readonly events: Readonly<Record<'settings' | 'status' | 'instances', string>>;
  /**
   * Whether its changes have ids, to continue from. One document has: the stream of everything has one
   * sequence of ids. A client of another one gets the document whenever it connects.
   */
  readonly hasIds: boolean;
  /** The part that this request may see. @default all */
  readonly shown?: (ctx: Context, settings: T) => T;
  /** Whether a viewer of some teams may see a change for a time. @default none of a document with `shown` */
  readonly isPassingShown?: (ctx: Context, name: string) => boolean;
}

/** Changes that a client may have missed while it reconnected. */
const REMEMBERED = 100;

/** Events about the settings for connected clients. */
class SettingsEvents<T extends object> implements EventTopic {
  readonly watchers: Watchers;
  readonly #document: EventsDocument<T>;
  readonly #settings: SettingsService<T>;
  readonly #instancesEveryMs: number;
  readonly #recent: StreamedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #instances: StreamedEvent | undefined;
  #shown = '';
  #epoch = '';
  #wasInterrupted = false;

  constructor(
    document: EventsDocument<T>,
    { settings, instancesEveryMs = 1000, ...options }: SettingsEventsOptions<T>,
  ) {
    this.watchers = new Watchers(options);
    this.#document = document;
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
    if (this.#wasInterrupted || !this.#document.hasIds) return [this.#settingsEvent()];
    const { version, status } = this.#settings;
    // Where the store takes no change, one whose time is over ends without another version.
    const isOneEach = this.#recent.filter(({ id }) => id === version).length <= 1;
    if (seen === version && status.staleSince === undefined && isOneEach) return [];
    const missed = this.#recent.filter(({ id }) => Number(id) > seen);
    return missed.length > 0 ? missed : [this.#settingsEvent()];
  }

  /** Whether the history of versions that clients have seen was interrupted. */
  #noteEpoch(): void {
    const { epoch } = this.#settings;
    if (this.#epoch !== '' && epoch !== this.#epoch) this.#wasInterrupted = true;
    this.#epoch = epoch;
  }

  shownTo(ctx: Context): (event: StreamedEvent) => StreamedEvent {
    const { shown, events, isPassingShown = () => false } = this.#document;
    return (event) => {
      if (event.event === events.instances) {
        return { ...event, data: shownInstances(ctx, event.data as InstanceList) };
      }
      if (event.event === events.status && teamsOf(ctx) !== undefined) {
        // It may name what somebody else has defined.
        const { problem: _problem, ...status } = event.data as { readonly problem?: string };
        return { ...event, data: status };
      }
      if (shown === undefined || event.event !== events.settings) return event;
      const data = event.data as { readonly settings: T; readonly passing?: PassingList };
      const isLimited = teamsOf(ctx) !== undefined;
      return {
        ...event,
        data: {
          ...data,
          settings: shown(ctx, data.settings),
          ...(isLimited && {
            passing: data.passing?.filter(({ name }) => isPassingShown(ctx, name)),
          }),
        },
      };
    };
  }

  #settingsEvent(): StreamedEvent {
    const { version, updated } = this.#settings;
    const passing = passingList(this.#settings.passing);
    const data = {
      version,
      settings: this.#settings.get(),
      updated_at: updated.at,
      updated_by: updated.by,
      ...(passing.length > 0 && { passing }),
    };
    const { events, hasIds } = this.#document;
    return { ...(hasIds && { id: version }), event: events.settings, data };
  }

  #statusEvent(): StreamedEvent {
    const { state, store, staleSince, problem } = this.#settings.status;
    return {
      event: this.#document.events.status,
      data: { state, store, stale_since: staleSince, problem },
    };
  }

  #broadcastInstances(list: Awaited<ReturnType<typeof listedInstances>>): void {
    // What only says that time went by is no news.
    const shown = JSON.stringify(list.instances, (key, value: unknown) =>
      key === 'last_seen_at' || key === 'uptime_seconds' ? undefined : value,
    );
    const isNews = this.#instances === undefined || shown !== this.#shown;
    this.#instances = { event: this.#document.events.instances, data: list };
    this.#shown = shown;
    if (isNews) this.watchers.broadcast(this.#instances);
  }
}

/** `…/events` of a document: changes, the state of the store, and the instances, live. */
export function settingsEventsRoute<T extends object>(
  document: EventsDocument<T>,
  options: SettingsEventsOptions<T>,
): ApiRoute {
  const events = new SettingsEvents(document, options);
  const names = Object.values(document.events);
  return apiRoute({
    method: 'get',
    topic: events,
    path: `${document.path}/events`,
    summary: `Events ${names.map((name) => `\`${name}\``).join(', ')}; survives reconnects`,
    role: 'viewer',
    headers: z.object(lastEventId),
    answers: {
      200: {
        description: document.hasIds
          ? `Server-sent events; the id of \`${document.events.settings}\` is its version`
          : 'Server-sent events; every connection begins with the document',
        schema: eventSchema(...names, 'end'),
        type: 'text/event-stream',
      },
      503: TOO_MANY_STREAMS,
    },
    handle(ctx) {
      watchTopics(ctx, [events]);
    },
  });
}
