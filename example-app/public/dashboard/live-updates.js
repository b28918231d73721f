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
 * Follows the ledger while the page can be seen. After an interruption there may be news: what
 * happened meanwhile is unknown.
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
      // Before the first connection nothing is missed: the page was loaded a moment ago.
      else if (wasLive || state !== 'connecting') wasAway = true;
      // Another tab takes over in no time.
      if (state === 'connecting') return;
      onConnection(state === 'lost' ? 'reconnecting' : state);
    },
  });
}
