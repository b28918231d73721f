// @ts-check
import { ApiError, callApi } from './api.js';

/**
 * @typedef {{ enabled: boolean, token_statistics: boolean }} Settings
 * @typedef {{ version: number, settings: Settings, updated_at?: string, updated_by?: string }} Current
 * @typedef {{ state: 'ready' | 'stale', stale_since?: string }} Status
 * @typedef {{ state: string, dropped?: Record<string, number>, pending?: number }} ExporterStatus
 * @typedef {{
 *   id: string, name: string, host: string, pid: number, version: number,
 *   state: 'ready' | 'stale', started_at: string,
 *   details?: { exporter?: ExporterStatus } | null,
 * }} Instance
 * @typedef {{ version: number, instances: Instance[] }} InstanceList
 * @typedef {'live' | 'polling' | 'offline'} Connection
 * @typedef {{
 *   onSettings: (current: Current) => void,
 *   onStatus: (status: Status) => void,
 *   onInstances: (list: InstanceList) => void,
 *   onConnection: (connection: Connection) => void,
 *   onSignedOut: () => void,
 * }} Listener
 */

const PATH = '/api/settings/metrics';
const POLL_MS = 10_000;
/** How long the browser may try to reconnect by itself before polling begins. */
const PATIENCE_MS = 4000;

/**
 * Follows the settings by server-sent events, and by polling while those do not get through.
 *
 * @param {Listener} listener
 */
export function followSettings(listener) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {EventSource | undefined} */
  let stream;

  function open() {
    if (document.hidden) return;
    const source = new EventSource(`${PATH}/events`);
    stream = source;
    /** @param {string} name @param {(data: any) => void} tell */
    const on = (name, tell) => {
      source.addEventListener(name, (event) => tell(JSON.parse(event.data)));
    };
    on('settings', listener.onSettings);
    on('status', listener.onStatus);
    on('instances', listener.onInstances);
    source.addEventListener('open', () => {
      clearTimeout(timer);
      listener.onConnection('live');
    });
    source.addEventListener('error', () => {
      clearTimeout(timer);
      const gaveUp = source.readyState === EventSource.CLOSED;
      timer = setTimeout(
        () => {
          source.close();
          void pollOnce();
        },
        gaveUp ? 0 : PATIENCE_MS,
      );
    });
  }

  /** Then tries the events again: a poll that gets through says that they may, too. */
  async function pollOnce() {
    try {
      await poll(listener);
      listener.onConnection('polling');
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        listener.onSignedOut();
        return;
      }
      listener.onConnection('offline');
    }
    timer = setTimeout(open, POLL_MS * (0.8 + 0.4 * Math.random()));
  }

  // A tab that nobody sees holds no connection: browsers have six for all tabs of a site.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    stream?.close();
    open();
  });
  open();
}

/** @param {Listener} listener */
async function poll({ onSettings, onStatus, onInstances }) {
  const answer = await callApi(PATH);
  const staleSince = answer.headers.get('settings-stale-since');
  onSettings({
    version: Number(answer.headers.get('settings-version')),
    settings: await answer.json(),
  });
  onStatus(staleSince ? { state: 'stale', stale_since: staleSince } : { state: 'ready' });
  // Cannot be had while the store is away; the list that is shown stays.
  const list = await callApi(`${PATH}/instances`).catch(() => undefined);
  if (list) onInstances(await list.json());
}
