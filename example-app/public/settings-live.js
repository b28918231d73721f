// @ts-check
import { ApiError, callApi, tooMany } from './api.js';
import { followEvents } from './events.js';

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
 *   onConnection: (connection: Connection, problem?: string) => void,
 *   onSignedOut: () => void,
 * }} Listener
 */

const PATH = '/api/settings/metrics';

/**
 * Follows the settings by server-sent events, and by polling while these do not arrive.
 *
 * @param {Listener} listener
 */
export function followSettings(listener) {
  const { onSettings, onStatus, onInstances } = listener;
  followEvents({
    events: { settings: onSettings, status: onStatus, instances: onInstances },
    onConnection(connection) {
      if (connection.state === 'live') listener.onConnection('live');
      // Reported again after each further attempt.
      if (connection.state === 'lost') void pollOnce(listener, connection);
    },
  });
}

/**
 * @param {Listener} listener
 * @param {{ status: number, waitMs: number }} lost
 */
async function pollOnce(listener, { status, waitMs }) {
  try {
    await poll(listener);
    // Only the stream was refused: the page shows what is in force, and why it is not live.
    listener.onConnection('polling', status === 429 ? tooMany(waitMs).message : undefined);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) listener.onSignedOut();
    else if (error instanceof ApiError && error.status === 429) {
      listener.onConnection('offline', error.message);
    } else listener.onConnection('offline');
  }
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
  // Unavailable while the store is; the displayed list stays.
  const list = await callApi(`${PATH}/instances`).catch((error) => {
    if (error instanceof ApiError && error.status === 429) throw error;
  });
  if (list) onInstances(await list.json());
}
