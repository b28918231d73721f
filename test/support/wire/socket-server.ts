import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** Of `ws`, as far as it is needed. */
interface WebSocket {
  on(event: 'message' | 'error', listener: (data: Buffer) => void): void;
  send(text: string): void;
  terminate(): void;
  close(): void;
}
interface WebSocketServer {
  readonly clients: ReadonlySet<WebSocket>;
  on(
    event: 'connection',
    listener: (socket: WebSocket, request: { readonly url?: string }) => void,
  ): void;
  close(): void;
}
const { WebSocketServer } = createRequire(import.meta.url)('ws') as {
  WebSocketServer: new (options: { readonly server: Server }) => WebSocketServer;
};

const TLS = join(import.meta.dirname, '../../fixtures/tls');

type Message = Readonly<Record<string, unknown>>;

/** What the server does with a session: it sends, cuts, and sees what arrives. */
export interface ServedSession {
  readonly path: string;
  readonly received: readonly Message[];
  send(...events: readonly object[]): void;
  /** Destroys the connection. */
  cut(): void;
  close(): void;
}

export interface SocketServer {
  /** `wss://…`, under a certificate that this process trusts until `close()`. */
  readonly url: string;
  /** Called with each session when it begins, and with each event of its client. */
  serve(script: {
    readonly opened?: (session: ServedSession) => void;
    readonly received?: (event: Message, session: ServedSession) => void;
  }): void;
  close(): Promise<void>;
}

/** A provider on loopback whose clients speak with it over sockets, in JSON. */
export async function startSocketServer(): Promise<SocketServer> {
  const read = (file: string): string => readFileSync(join(TLS, file), 'utf8');
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, read('ca.pem')]);
  const http = createServer({ key: read('server.key'), cert: read('server.pem') });
  const sockets = new WebSocketServer({ server: http });
  let script: Parameters<SocketServer['serve']>[0] = {};
  sockets.on('connection', (socket, request) => {
    const received: Message[] = [];
    const session = sessionOf(socket, request.url ?? '', received);
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const event = JSON.parse(data.toString()) as Message;
      received.push(event);
      script.received?.(event, session);
    });
    script.opened?.(session);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `wss://127.0.0.1:${(http.address() as AddressInfo).port}`,
    serve: (next) => (script = next),
    async close() {
      setDefaultCACertificates(trusted);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function sessionOf(socket: WebSocket, path: string, received: readonly Message[]): ServedSession {
  return {
    path,
    received,
    send(...events) {
      for (const event of events) socket.send(JSON.stringify(event));
    },
    cut: () => socket.terminate(),
    close: () => socket.close(),
  };
}
