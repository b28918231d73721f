import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { displayIn } from '../formats.ts';
import { ApiError, callApi, get, tooMany } from './client.ts';
import type {
  ConsoleEntries,
  CurrentSettings,
  Health,
  InstanceList,
  MetricsSettings,
} from './contract.ts';
import type { OwnDimension } from '../view/view.ts';
import { entries } from './entries.ts';
import { followEvents } from './event-stream.ts';

/** What the event stream says, for all pages. */

/** Counts up when there are new calls, or may be. */
export const news = signal(0);
export const health = signal<Health | undefined>(undefined);
/** Those that the application is configured with. */
export function ownDimensions(): readonly OwnDimension[] {
  return (health.value?.dimensions ?? []).map((name): OwnDimension => `dimension.${name}`);
}

export const settings = signal<CurrentSettings | undefined>(undefined);
export const instances = signal<InstanceList | undefined>(undefined);
/** Since when the settings store cannot be reached. */
export const staleSince = signal<string | undefined>(undefined);
/** Undefined: before the first connection. */
export const usageConnection = signal<'live' | 'reconnecting' | 'paused' | undefined>(undefined);
export const settingsConnection = signal<
  { readonly state: 'live' | 'polling' | 'offline'; readonly why?: string } | undefined
>(undefined);
export const isSignedOut = signal(false);

/** How long the first questions wait for the stream, ms. */
const WATCH_WAIT_MS = 1000;
/** Since the server has begun to notice changes for this connection; undefined before. */
let sequence: number | undefined;
/** Whether a question was asked while changes might have been missed. */
let askedUnwatched = false;
const { promise: firstWatch, resolve: watched } = Promise.withResolvers<void>();

/** What is asked after this is asked again when it changes. */
export async function changesWatched(): Promise<void> {
  setTimeout(watched, WATCH_WAIT_MS);
  await firstWatch;
  askedUnwatched ||= sequence === undefined;
}

interface StoreStatus {
  readonly state: string;
  readonly stale_since?: string | undefined;
}

/** Pages that need the settings even while there is no stream. */
let followers = 0;

/** While a component that uses this is shown, the settings are polled while there is no stream. */
export function useLiveSettings(): void {
  useEffect(() => {
    followers += 1;
    return () => {
      followers -= 1;
    };
  }, []);
}

/** An answer to a change made here may be newer than the last event. */
export function showSettings(next: CurrentSettings): void {
  const before = settings.value;
  settings.value = before?.version === next.version ? { ...before, ...next } : next;
}

function showStatus({ state, stale_since: since }: StoreStatus): void {
  staleSince.value = state === 'stale' ? since : undefined;
}

/** Call once, when somebody is signed in. */
export function startLive(): void {
  followEvents({
    events: {
      usage({ sequence: next }: { readonly sequence: number }) {
        const isNews = sequence === undefined ? askedUnwatched : next !== sequence;
        sequence = next;
        askedUnwatched = false;
        watched();
        if (isNews) news.value += 1;
      },
      health(next: Health) {
        displayIn(next.prices?.currency);
        health.value = next;
      },
      settings: showSettings,
      console({ settings: next }: { readonly settings: ConsoleEntries }) {
        entries.value = next;
      },
      status: showStatus,
      instances(list: InstanceList) {
        instances.value = list;
      },
    },
    onConnection(connection) {
      const { state } = connection;
      if (state !== 'live') {
        // What was shown before may have changed by the first event of the next connection.
        askedUnwatched ||= sequence !== undefined;
        sequence = undefined;
      }
      if (state === 'lost' || state === 'paused') watched();
      if (state === 'live') settingsConnection.value = { state };
      // Reported again after each further attempt.
      if (state === 'lost' && followers > 0) void pollOnce(connection);
      // Another tab takes over immediately.
      if (state === 'connecting') return;
      usageConnection.value = state === 'lost' ? 'reconnecting' : state;
    },
  });
}

async function pollOnce({
  status,
  waitMs,
}: {
  readonly status: number;
  readonly waitMs: number;
}): Promise<void> {
  try {
    await poll();
    // Only the stream was refused: the page shows what is in force, and why it is not live.
    settingsConnection.value =
      status === 429 ? { state: 'polling', why: tooMany(waitMs).message } : { state: 'polling' };
  } catch (error) {
    const refusal = error instanceof ApiError ? error.status : 0;
    if (refusal === 401) isSignedOut.value = true;
    else {
      settingsConnection.value =
        refusal === 429
          ? { state: 'offline', why: (error as Error).message }
          : { state: 'offline' };
    }
  }
}

async function poll(): Promise<void> {
  const answer = await callApi('/api/settings/metrics');
  const since = answer.headers.get('settings-stale-since');
  const { changes } = await get('/api/settings/metrics/passing');
  showSettings({
    version: Number(answer.headers.get('settings-version')),
    settings: (await answer.json()) as MetricsSettings,
    passing: changes,
  });
  showStatus(since === null ? { state: 'ready' } : { state: 'stale', stale_since: since });
  // Unavailable while the store is; the displayed list stays.
  const list = await get('/api/settings/metrics/instances').catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 429) throw error;
  });
  if (list) instances.value = list;
}
