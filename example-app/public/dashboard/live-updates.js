// @ts-check
import { followEvents } from '../events.js';

/**
 * @typedef {'live' | 'reconnecting' | 'paused'} Connection
 * @typedef {{
 *   onNews: () => void,
 *   onHealth: (health: import('./usage-api.js').Health) => void,
 *   onConnection: (connection: Connection) => void,
 * }} Listener
 */

/**
 * Follows the ledger while the page is visible. After an interruption new calls are assumed,
 * since events may have been missed.
 *
 * @param {Listener} listener
 */
export function followUsage({ onNews, onHealth, onConnection }) {
  /** @type {number | undefined} */
  let sequence;
  let wasLive = false;
  let wasAway = false;

  followEvents({
    events: {
      usage({ sequence: next }) {
        if (sequence !== undefined && next !== sequence) onNews();
        sequence = next;
      },
      health: onHealth,
    },
    onConnection({ state }) {
      if (state === 'live' && wasAway) onNews();
      wasLive ||= state === 'live';
      if (state === 'live') wasAway = false;
      // Nothing is missed before the first connection, since the page has just been loaded.
      else if (wasLive || state !== 'connecting') wasAway = true;
      // Another tab takes over immediately.
      if (state === 'connecting') return;
      onConnection(state === 'lost' ? 'reconnecting' : state);
    },
  });
}
