import { createServer, request as forward, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** An HTTP proxy: absolute requests and CONNECT tunnels, with the log of both. */
export class ForwardProxy {
  readonly requests: string[] = [];
  readonly authorizations = new Set<string | undefined>();
  /** True: nothing is passed on, the connection is cut. */
  isBroken = false;
  /** Where names lead that only the proxy can resolve. */
  readonly hosts = new Map<string, string>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      this.authorizations.add(request.headers['proxy-authorization']);
      if (this.isBroken) {
        request.socket.resetAndDestroy();
        return;
      }
      const { method = 'GET', headers } = request;
      const url = new URL(request.url ?? '');
      url.hostname = this.#hostOf(url.hostname);
      const upstream = forward(url, { method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.once('error', () => response.writeHead(502).end());
      request.pipe(upstream);
    });
    this.#server.on('connect', ({ url, headers }, socket: Socket) => {
      this.requests.push(`CONNECT ${url}`);
      this.authorizations.add(headers['proxy-authorization']);
      const { hostname, port } = new URL(`http://${url}`);
      if (this.isBroken) {
        socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
        return;
      }
      const upstream = connect(Number(port), this.#hostOf(hostname), () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
      socket.once('close', () => upstream.destroy());
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<ForwardProxy> {
    const proxy = new ForwardProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #hostOf(name: string): string {
    return this.hosts.get(name) ?? name;
  }
}
