import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

/** What a server says to a body it does not just store. */
export interface OddAnswer {
  readonly status: number;
  readonly error?: string;
  readonly headers?: Record<string, string>;
  /** Lines that are stored all the same. */
  readonly stored?: readonly string[];
}

/**
 * Answers `/ping` and writes of InfluxDB 1.x as servers and gateways do on a bad day: slowly, refusing single
 * lines, or lying. Keeps each line once, as a database does.
 */
export class OddServer {
  readonly stored = new Set<string>();
  /** Bytes of each write. */
  readonly writes: number[] = [];
  /** How fast bodies are read. */
  bytesPerSecond = Infinity;
  /** Undefined stores all of them. */
  answer: (lines: readonly string[]) => OddAnswer | undefined = () => undefined;
  ping: () => { readonly status: number; readonly headers?: Record<string, string> } = () => ({
    status: 204,
    headers: { 'x-influxdb-version': '1.8.10' },
  });
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((request, response) => {
      // The client may be gone.
      void this.#handle(request, response).catch(() => {});
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<OddServer> {
    const server = new OddServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith('/write') !== true) {
      request.resume();
      const { status, headers } = this.ping();
      response.writeHead(status, headers).end();
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const raw = Buffer.concat(pieces);
    if (this.bytesPerSecond !== Infinity) await sleep((raw.length / this.bytesPerSecond) * 1000);
    if (response.destroyed) return;
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    this.writes.push(body.length);
    const lines = body
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const answer = this.answer(lines);
    for (const line of answer === undefined ? lines : (answer.stored ?? [])) this.stored.add(line);
    if (answer === undefined) response.writeHead(204).end();
    else {
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(
        answer.error === undefined ? undefined : JSON.stringify({ error: answer.error }),
      );
    }
  }
}
