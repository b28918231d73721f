import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Fault =
  | 'pass'
  /** Reads the request and never responds. */
  | 'hang'
  /** Closes the connection in the middle of the body. */
  | 'reset'
  /** Lets the server store the body, then closes the connection without a response. */
  | 'lostAnswer'
  /** Passes the request on after a second. */
  | 'slow'
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    };

/** Proxy for a real server that injects network and gateway faults into writes. */
export class FaultProxy {
  /** Chooses the fault of each write. */
  fault: (bytes: number) => Fault = () => 'pass';
  /** Time of each write, from `performance.now()`. */
  readonly writes: number[] = [];
  readonly sockets = new Set<Socket>();
  readonly #target: string;
  readonly #server: Server;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      const isWrite = request.url?.includes('write') === true;
      if (isWrite) this.writes.push(performance.now());
      const fault = isWrite ? this.fault(Number(request.headers['content-length'])) : 'pass';
      if (fault === 'hang') {
        request.resume();
        return;
      }
      if (fault === 'reset') {
        request.once('data', () => request.socket.resetAndDestroy());
        return;
      }
      if (typeof fault === 'object') {
        request.resume();
        request.once('end', () => response.writeHead(fault.status, fault.headers).end(fault.body));
        return;
      }
      const url = new URL(request.url ?? '/', this.#target);
      const { method, headers } = request;
      const upstream = forward(url, { method: method ?? 'GET', headers }, (answer) => {
        if (fault === 'lostAnswer') {
          answer.resume();
          answer.once('end', () => request.socket.resetAndDestroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.once('error', () => request.socket.destroy());
      if (fault === 'slow') setTimeout(() => request.pipe(upstream), 1000);
      else request.pipe(upstream);
    });
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
