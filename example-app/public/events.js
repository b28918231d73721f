// @ts-check

/**
 * What is known of the connection. `connecting`: events may be missed from now on; `lost`: it was
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
 * tabs of a site: one tab, which holds a lock, has the stream and passes its events on to the others.
 * Locks end with their tab, however that ends. Where there are none (plain HTTP from another machine)
 * each visible tab has its own stream.
 *
 * @param {Listener} listener
 */
export function followEvents({ events, onConnection }) {
  const channel = new BroadcastChannel('token-meter-events');
  /** Leaves the tabs that follow. */
  let leaving = new AbortController();
  /** The stay for which this tab holds the stream. @type {AbortSignal | undefined} */
  let leading;
  /** What a tab that joins has to know, by kind and name. @type {Map<string, Message>} */
  const newest = new Map();

  /** @param {Message} message */
  function show(message) {
    if (message.kind === 'event') events[message.name]?.(message.data);
    if (message.kind === 'connection') onConnection(message.connection);
  }

  /** @param {Message} message */
  function tell(message) {
    newest.set(message.kind === 'event' ? message.name : message.kind, message);
    channel.postMessage(message);
    show(message);
  }

  /** @param {AbortSignal} signal */
  async function lead(signal) {
    leading = signal;
    newest.clear();
    while (!signal.aborted) {
      const waitMs = await stream(tell, signal);
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
 * Resolves when the stream cannot be had: with the time to wait before the next try.
 *
 * @param {(message: Message) => void} tell
 * @param {AbortSignal} signal
 * @returns {Promise<number>} ms
 */
async function stream(tell, signal) {
  /** @param {Connection} connection */
  const connected = (connection) => tell({ kind: 'connection', connection });
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
        tell({ kind: 'event', name, data: JSON.parse(data) });
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
 * Why there is no stream, which an EventSource does not say.
 *
 * @param {AbortSignal} signal
 */
async function refusal(signal) {
  const waitMs = RETRY_MS * (0.8 + 0.4 * Math.random());
  try {
    const { status, headers } = await fetch(PATH, { method: 'HEAD', signal });
    // Whoever is signed out has to sign in, which reloads every tab.
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
