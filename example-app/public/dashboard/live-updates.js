// @ts-check

/**
 * @typedef {'live' | 'reconnecting' | 'paused'} Connection
 * @typedef {{
 *   onNews: () => void,
 *   onHealth: (health: import('./usage-api.js').Health) => void,
 *   onConnection: (connection: Connection) => void,
 * }} Listener
 */

/** When the browser has given up, it is tried again this often. */
const RETRY_MS = 10_000;

/**
 * Follows the ledger while the page can be seen. Whoever comes back is told that there is news:
 * what happened meanwhile is unknown.
 *
 * @param {Listener} listener
 */
export function followUsage({ onNews, onHealth, onConnection }) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {number | undefined} */
  let sequence;
  let wasAway = false;

  function open() {
    clearTimeout(timer);
    source = new EventSource('/api/usage/events');
    source.addEventListener('open', () => {
      onConnection('live');
      if (wasAway) onNews();
      wasAway = false;
    });
    source.addEventListener('usage', (event) => {
      const next = JSON.parse(event.data).sequence;
      if (sequence !== undefined && next !== sequence) onNews();
      sequence = next;
    });
    source.addEventListener('health', (event) => onHealth(JSON.parse(event.data)));
    source.addEventListener('error', () => {
      onConnection('reconnecting');
      wasAway = true;
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MS);
    });
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = undefined;
    wasAway = true;
    onConnection('paused');
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else if (!source) open();
  });
  if (!document.hidden) open();
}
