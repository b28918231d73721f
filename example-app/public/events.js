// @ts-check

/**
 * State of the connection. `connecting`: events may be missed from now on; `lost`: it was
 * refused (`status`) or there is no answer (0), and is tried again after `waitMs`.
 *
 * @typedef {{ state: 'connecting' | 'live' | 'reconnecting' | 'paused' }
 *   | { state: 'lost', status: number, waitMs: number }} Connection
 * @typedef {{
 *   events: Readonly<Record<string, (data: any) => void>>,
 *   onConnection: (connection: Connection) => void,
 * }} Listener
 * @typedef {{ kind: 'hello' }
 *   | { kind: 'event', name: string, data: unknown }
 *   | { kind: 'connection', connection: Connection }} Message
 */

const PATH = '/api/events';
const NAMES = ['settings', 'status', 'instances', 'usage', 'health'];
/** How long the browser may try by itself. */
const PATIENCE_MS = 4000;
const RETRY_MS = 10_000;

/**
 * Follows the events of the server while the page can be seen. Browsers have six connections for all
 * tabs of a site: the tab that holds a lock has the stream and passes its events to the others.
 * A lock is released when its tab ends. Without locks (plain HTTP from another machine)
 * each visible tab has a separate stream.
 *
 * @param {Listener} listener
 */
export function followEvents({ events, onConnection }) {
  const channel = new BroadcastChannel('token-meter-events');
  /** Leaves the tabs that follow. */
  let leaving = new AbortController();
  /** While this tab holds the stream. @type {AbortSignal | undefined} */
  let leading;
  /** Messages that a joining tab needs, by kind and name. @type {Map<string, Message>} */
  const newest = new Map();

  /** @param {Message} message */
  function show(message) {
    if (message.kind === 'event') events[message.name]?.(message.data);
    if (message.kind === 'connection') onConnection(message.connection);
  }

  /** @param {Message} message */
  function post(message) {
    newest.set(message.kind === 'event' ? message.name : message.kind, message);
    channel.postMessage(message);
    show(message);
  }

  /** @param {AbortSignal} signal */
  async function lead(signal) {
    leading = signal;
    newest.clear();
    while (!signal.aborted) {
      const waitMs = await stream(post, signal);
      await pause(waitMs, signal);
    }
  }

  function join() {
    leaving = new AbortController();
    const { signal } = leaving;
    channel.postMessage({ kind: 'hello' });
    if (!('locks' in navigator)) void lead(signal);
    else {
      navigator.locks
        .request('token-meter-events', { signal }, () => lead(signal))
        .catch((error) => {
          if (!signal.aborted) throw error;
        });
    }
  }

  channel.addEventListener('message', ({ data: message }) => {
    if (document.hidden) return;
    if (message.kind !== 'hello') show(message);
    else if (leading === leaving.signal)
      for (const known of newest.values()) channel.postMessage(known);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      leaving.abort();
      onConnection({ state: 'paused' });
    } else if (leaving.signal.aborted) join();
  });
  if (document.hidden) leaving.abort();
  else join();
}

/**
 * Resolves when the stream cannot be opened, with the time to wait before the next attempt.
 *
 * @param {(message: Message) => void} post
 * @param {AbortSignal} signal
 * @returns {Promise<number>} ms
 */
async function stream(post, signal) {
  /** @param {Connection} connection */
  const connected = (connection) => post({ kind: 'connection', connection });
  connected({ state: 'connecting' });
  const source = new EventSource(PATH);
  /** @type {ReturnType<typeof setTimeout>} */
  let impatience;
  await new Promise((resolve) => {
    const give = () => resolve(undefined);
    signal.addEventListener('abort', give, { once: true });
    impatience = setTimeout(give, PATIENCE_MS);
    source.addEventListener('open', () => {
      clearTimeout(impatience);
      connected({ state: 'live' });
    });
    source.addEventListener('error', () => {
      clearTimeout(impatience);
      if (source.readyState === EventSource.CLOSED) return give();
      connected({ state: 'reconnecting' });
      impatience = setTimeout(give, PATIENCE_MS);
    });
    for (const name of NAMES) {
      source.addEventListener(name, ({ data }) => {
        post({ kind: 'event', name, data: JSON.parse(data) });
      });
    }
  });
  // @ts-ignore -- set above
  clearTimeout(impatience);
  source.close();
  if (signal.aborted) return 0;
  const { status, waitMs } = await refusal(signal);
  if (!signal.aborted) connected({ state: 'lost', status, waitMs });
  return waitMs;
}

/**
 * Why there is no stream; an EventSource does not report it.
 *
 * @param {AbortSignal} signal
 */
async function refusal(signal) {
  const waitMs = RETRY_MS * (0.8 + 0.4 * Math.random());
  try {
    const { status, headers } = await fetch(PATH, { method: 'HEAD', signal });
    // A signed-out user has to sign in, which reloads every tab.
    if (status === 401) return { status, waitMs: Number.POSITIVE_INFINITY };
    const seconds = Number(headers.get('retry-after') ?? 0);
    return { status, waitMs: seconds > 0 ? seconds * 1000 : waitMs };
  } catch {
    return { status: 0, waitMs };
  }
}

/** @param {number} ms @param {AbortSignal} signal */
async function pause(ms, signal) {
  await new Promise((resolve) => {
    if (Number.isFinite(ms)) setTimeout(resolve, ms);
    signal.addEventListener('abort', resolve, { once: true });
    if (signal.aborted) resolve(undefined);
  });
}
