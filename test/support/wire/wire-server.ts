import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Bytes = string | Uint8Array;

/** A scripted response: a complete body, or chunks sent in sequence. */
export interface Script {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes;
  readonly pieces?: readonly Bytes[];
  /** Delay before the first byte of the response. */
  readonly delayMs?: number;
  /** Called when the whole request has arrived. */
  readonly received?: () => void;
  /** Send no response: the client has to close the connection. */
  readonly silent?: true;
  /** Delay after each chunk. */
  readonly pauseMs?: number;
  /** Destroy the connection after the last chunk instead of ending the response. */
  readonly cut?: boolean;
  /**
   * Keeps the response open after the chunks and then sends this 20 times, if the client is still
   * connected.
   */
  readonly held?: Bytes;
}

/** Requests since the last `play`. */
export interface Served {
  /** Path, sorted names of headers, parsed JSON body. */
  readonly requests: readonly {
    readonly path: string;
    readonly headers: readonly string[];
    readonly body: unknown;
  }[];
  /** Chunks sent after the pause of `held`; none if the client disconnected. */
  readonly sentAfterHold: number;
}

export interface WireServer {
  readonly url: string;
  /**
   * Sets the script. Each of several scripts answers one request, the last one all further
   * requests.
   */
  play(...scripts: readonly [Script, ...Script[]]): void;
  /** Chooses the script of each request by its path. Requests are not kept. */
  playBy(scriptOf: (path: string) => Script): void;
  /** Requests that have arrived since the last `play`. */
  readonly arrived: number;
  /** Resolves when every response since the last `play` is complete, destroyed or abandoned. */
  served(): Promise<Served>;
  close(): Promise<void>;
}

/** Longer than a client takes to close a connection. */
const HOLD_MS = 150;

interface Play {
  readonly next: (path: string) => Script;
  readonly keeps: boolean;
  readonly requests: { path: string; headers: string[]; body: unknown }[];
  readonly replies: Promise<void>[];
  sentAfterHold: number;
}

interface Response {
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(piece: Bytes): boolean;
  end(body?: Bytes): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/** A provider on loopback that plays one script at a time. */
export async function startWireServer(protocol: 'http1' | 'http2' = 'http1'): Promise<WireServer> {
  let playing = playOf(() => ({ status: 404, body: '{}' }));
  const sockets = new Set<Socket>();
  const listener = (request: IncomingMessage, response: Response): void => {
    const reply = answer(request, response, playing).catch(() => undefined);
    if (playing.keeps) playing.replies.push(reply);
  };
  const server: Server | Http2Server =
    protocol === 'http1'
      ? // A client on a busy machine may use a connection just as it times out, and then try again.
        createHttpServer({ keepAliveTimeout: 0 }, (request, response) =>
          listener(request, response),
        )
      : createHttp2Server((request, response) =>
          listener(request as unknown as IncomingMessage, response as unknown as Response),
        );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    play(...scripts) {
      const left = [...scripts];
      playing = playOf(() => (left.length > 1 ? left.shift() : left[0]) as Script);
    },
    playBy(scriptOf) {
      playing = playOf(scriptOf, false);
    },
    get arrived() {
      return playing.requests.length;
    },
    async served() {
      const { replies, requests } = playing;
      // A response may trigger the next request, by a retry or a tool call.
      for (let seen = -1; seen !== replies.length;) {
        seen = replies.length;
        await Promise.all(replies);
      }
      return { requests, sentAfterHold: playing.sentAfterHold };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function playOf(next: (path: string) => Script, keeps = true): Play {
  return { next, keeps, requests: [], replies: [], sentAfterHold: 0 };
}

async function answer(request: IncomingMessage, response: Response, play: Play): Promise<void> {
  const script = play.next(request.url ?? '');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const received: Buffer[] = [];
  for await (const piece of request) received.push(piece as Buffer);
  if (play.keeps) {
    play.requests.push({
      path: request.url ?? '',
      headers: Object.keys(request.headers).toSorted(),
      body: parse(Buffer.concat(received).toString()),
    });
  }
  const { pieces, held } = script;
  script.received?.();
  if (script.delayMs !== undefined) await sleep(script.delayMs);
  if (script.silent === true) {
    if (!gone.signal.aborted) await once(gone.signal, 'abort');
    return;
  }
  response.writeHead(script.status ?? 200, {
    'content-type': pieces === undefined ? 'application/json' : 'text/event-stream',
    ...script.headers,
  });
  if (pieces === undefined) {
    response.end(script.body);
    return;
  }
  for (const piece of pieces) {
    if (gone.signal.aborted) return;
    response.write(piece);
    await sleep(script.pauseMs ?? 1);
  }
  if (held !== undefined) {
    await sleep(HOLD_MS, undefined, { signal: gone.signal }).catch(() => undefined);
    for (let i = 0; i < 20 && !gone.signal.aborted; i += 1) {
      response.write(held);
      play.sentAfterHold += 1;
    }
  }
  if (script.cut === true) request.socket.destroy();
  else response.end();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** One server-sent event. */
export function sse(data: unknown, event?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}
