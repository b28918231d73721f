import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Bytes = string | Uint8Array;

/** What the server answers: a whole body, or pieces sent one after another. */
export interface Script {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes;
  readonly pieces?: readonly Bytes[];
  /** Pause after each piece. */
  readonly pauseMs?: number;
  /** Destroy the connection after the last piece in place of ending the reply. */
  readonly cut?: boolean;
  /** Repeat this piece after the others until the client goes away, 400 times at most. */
  readonly repeat?: Bytes;
}

export interface WireServer {
  readonly url: string;
  /** Answers every request from now on. */
  play(script: Script): void;
  readonly playing: Script;
  /** Parsed JSON bodies of the requests since the last `play`. */
  readonly requests: readonly unknown[];
  readonly piecesSent: number;
  /** The client closed the connection, or reset the stream, before the reply ended. */
  readonly leftByClient: boolean;
  close(): Promise<void>;
}

interface Response {
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(piece: Bytes): boolean;
  end(body?: Bytes): unknown;
  on(event: 'close', listener: () => void): unknown;
  readonly writableEnded: boolean;
}

/** A provider on loopback: plays one script at a time and counts what it sends. */
export async function startWireServer(protocol: 'http1' | 'http2' = 'http1'): Promise<WireServer> {
  const state = {
    script: { status: 404, body: '{}' } as Script,
    requests: [] as unknown[],
    piecesSent: 0,
    leftByClient: false,
  };
  const sockets = new Set<Socket>();
  const listener = (request: IncomingMessage, response: Response): void => {
    answer(request, response, state).catch(() => undefined);
  };
  const server: Server | Http2Server =
    protocol === 'http1'
      ? createHttpServer((request, response) => listener(request, response))
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
    play(script) {
      Object.assign(state, { script, requests: [], piecesSent: 0, leftByClient: false });
    },
    get playing() {
      return state.script;
    },
    get requests() {
      return state.requests;
    },
    get piecesSent() {
      return state.piecesSent;
    },
    get leftByClient() {
      return state.leftByClient;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: Response,
  state: { script: Script; requests: unknown[]; piecesSent: number; leftByClient: boolean },
): Promise<void> {
  const { script } = state;
  let gone = false;
  response.on('close', () => {
    gone = true;
    if (!response.writableEnded && state.script === script) state.leftByClient = true;
  });
  const received: Buffer[] = [];
  for await (const piece of request) received.push(piece as Buffer);
  state.requests.push(parse(Buffer.concat(received).toString()));
  const pieces = script.pieces;
  response.writeHead(script.status ?? 200, {
    'content-type': pieces === undefined ? 'application/json' : 'text/event-stream',
    ...script.headers,
  });
  if (pieces === undefined) {
    response.end(script.body);
    return;
  }
  const send = async (piece: Bytes): Promise<void> => {
    response.write(piece);
    if (state.script === script) state.piecesSent += 1;
    await sleep(script.pauseMs ?? 1);
  };
  for (const piece of pieces) if (!gone) await send(piece);
  for (let i = 0; script.repeat !== undefined && i < 400 && !gone; i += 1)
    await send(script.repeat);
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
