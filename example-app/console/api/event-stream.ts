/**
 * State of the connection. `connecting`: events may be missed from now on; `lost`: it was
 * refused (`status`) or there is no answer (0), and is tried again after `waitMs`.
 */
type Connection =
  | { readonly state: 'connecting' | 'live' | 'reconnecting' | 'paused' }
  | { readonly state: 'lost'; readonly status: number; readonly waitMs: number };

export interface EventListener {
  readonly events: Readonly<Record<string, (data: never) => void>>;
  readonly onConnection: (connection: Connection) => void;
}

type Message =
  | { readonly kind: 'hello' }
  | { readonly kind: 'event'; readonly name: string; readonly data: unknown }
  | { readonly kind: 'connection'; readonly connection: Connection };

const PATH = '/api/events';
/** How long the browser may try by itself. */
const PATIENCE_MS = 4000;
const RETRY_MS = 10_000;

/**
 * Follows the events of the server while the page can be seen. Browsers have six connections for all
 * tabs of a site: the tab that holds a lock has the stream and passes its events to the others.
 * A lock is released when its tab ends. Without locks (plain HTTP from another machine)
 * each visible tab has a separate stream.
 */
export function followEvents({ events, onConnection }: EventListener): void {
  const channel = new BroadcastChannel('token-meter-events');
  /** Leaves the tabs that follow. */
  let leaving = new AbortController();
  /** While this tab holds the stream. */
  let leading: AbortSignal | undefined;
  /** Messages that a joining tab needs, by kind and name. */
  const newest = new Map<string, Message>();

  const show = (message: Message): void => {
    if (message.kind === 'event') events[message.name]?.(message.data as never);
    if (message.kind === 'connection') onConnection(message.connection);
  };

  const post = (message: Message): void => {
    newest.set(message.kind === 'event' ? message.name : message.kind, message);
    channel.postMessage(message);
    show(message);
  };

  const lead = async (signal: AbortSignal): Promise<void> => {
    leading = signal;
    newest.clear();
    while (!signal.aborted) {
      const waitMs = await stream(Object.keys(events), post, signal);
      await pause(waitMs, signal);
    }
  };

  const join = (): void => {
    leaving = new AbortController();
    const { signal } = leaving;
    channel.postMessage({ kind: 'hello' });
    if (!('locks' in navigator)) void lead(signal);
    else {
      navigator.locks
        .request('token-meter-events', { signal }, () => lead(signal))
        .catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
    }
  };

  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (document.hidden) return;
    if (data.kind !== 'hello') show(data);
    else if (leading === leaving.signal) {
      for (const known of newest.values()) channel.postMessage(known);
    }
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

/** Resolves when the stream cannot be opened, with the time to wait before the next attempt, ms. */
async function stream(
  names: readonly string[],
  post: (message: Message) => void,
  signal: AbortSignal,
): Promise<number> {
  const connected = (connection: Connection): void => post({ kind: 'connection', connection });
  connected({ state: 'connecting' });
  const source = new EventSource(PATH);
  let impatience: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    const give = (): void => resolve();
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
    for (const name of names) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        post({ kind: 'event', name, data: JSON.parse(data) as unknown });
      });
    }
  });
  clearTimeout(impatience);
  source.close();
  if (signal.aborted) return 0;
  const { status, waitMs } = await refusal(signal);
  if (!signal.aborted) connected({ state: 'lost', status, waitMs });
  return waitMs;
}

/** Why there is no stream; an EventSource does not report it. */
async function refusal(signal: AbortSignal): Promise<{ status: number; waitMs: number }> {
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

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (Number.isFinite(ms)) setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
