import http from 'node:http';
import https from 'node:https';

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, after the base address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In pieces, which are sent as they are: joining them would copy megabytes. */
  readonly body?: readonly Buffer[];
  /** The whole exchange; its socket is destroyed then. */
  readonly timeoutMs: number;
}

/** What a server said, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** Rejects only when there is no answer: network, time-out. */
export interface Transport {
  request(request: TransportRequest): Promise<Answer>;
  /** Closes idle sockets and cuts what still runs. */
  close(): void;
}

/** What is read of an answer: servers quote whole lines in their errors. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Every request has a deadline that destroys its socket, and the number of sockets is bounded. */
export class InfluxTransport implements Transport {
  readonly #url: URL;
  readonly #path: string;
  readonly #agent: http.Agent;
  readonly #open: typeof http.request;

  /** `url`: base address, without a slash at its end. */
  constructor(url: string, maxSockets: number) {
    this.#url = new URL(url);
    this.#path = this.#url.pathname.replace(/\/$/, '');
    const { Agent, request } = this.#url.protocol === 'https:' ? https : http;
    this.#agent = new Agent({ keepAlive: true, maxSockets });
    this.#open = request;
    neverHoldTheProcess(this.#agent);
  }

  async request({
    method,
    path,
    headers,
    body = [],
    timeoutMs,
  }: TransportRequest): Promise<Answer> {
    const length = body.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return await new Promise<Answer>((resolve, reject) => {
      const request = this.#open(this.#url, {
        method,
        path: this.#path + path,
        agent: this.#agent,
        headers: {
          'user-agent': 'otel-token-meter',
          ...headers,
          ...(method === 'POST' && { 'content-length': length }),
        },
      });
      const deadline = setTimeout(
        () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
        timeoutMs,
      ).unref();
      request.once('close', () => clearTimeout(deadline));
      // Each of them: an error nobody listens to would end the process.
      request.on('error', reject);
      request.once('response', (response) => {
        const answered = (answer: Answer): void => {
          // An answer to half a body: nothing may be read from it any more once we are back.
          if (!request.writableFinished) request.destroy();
          resolve(answer);
        };
        read(response, answered, reject);
      });
      for (const piece of body) request.write(piece);
      request.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function read(
  response: http.IncomingMessage,
  resolve: (answer: Answer) => void,
  reject: (error: Error) => void,
): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= MAX_ANSWER_BYTES) pieces.push(piece);
  });
  response.on('error', reject);
  response.once('end', () => {
    const { statusCode = 0, headers } = response;
    const body = Buffer.concat(pieces).toString();
    resolve({ status: statusCode, headers: firstValues(headers), body });
  });
}

/** Waiting for a server must not keep a process alive that has nothing else to do. */
function neverHoldTheProcess(agent: http.Agent): void {
  const { createConnection, reuseSocket } = agent as unknown as {
    createConnection: (...args: unknown[]) => { unref(): void };
    reuseSocket: (...args: [{ unref(): void }, unknown]) => void;
  };
  Object.assign(agent, {
    createConnection(...args: unknown[]) {
      const socket = createConnection.apply(agent, args);
      socket.unref();
      return socket;
    },
    reuseSocket(...[socket, request]: Parameters<typeof reuseSocket>) {
      reuseSocket.call(agent, socket, request);
      socket.unref();
    },
  });
}

function firstValues(headers: http.IncomingHttpHeaders): Answer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
