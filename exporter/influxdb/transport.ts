import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type * as InfluxClient from '@influxdata/influxdb-client';
import { TokenMeterError } from '../../src/errors.ts';

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, after the base address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
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

type ClientTransport = InfluxClient.InfluxDB['transport'];
type HttpErrorShape = { statusCode?: unknown; headers?: unknown; body?: unknown };

/**
 * The request layer of the official client, without its write API: that one loses data on close, after
 * 180 s of outage, on 401 and 404, and reads Retry-After as milliseconds. Here every request has a
 * deadline that destroys its socket, and the number of sockets is bounded.
 */
export class InfluxTransport implements Transport {
  readonly #url: string;
  readonly #agent: HttpAgent;
  #client: Promise<ClientTransport> | undefined;

  constructor(url: string, maxSockets: number) {
    this.#url = url;
    const AgentClass = url.startsWith('https:') ? HttpsAgent : HttpAgent;
    this.#agent = new AgentClass({ keepAlive: true, maxSockets });
    neverHoldTheProcess(this.#agent);
  }

  async request({ method, path, headers, body, timeoutMs }: TransportRequest): Promise<Answer> {
    this.#client ??= loadClient(this.#url, this.#agent);
    const client = await this.#client;
    const controller = new AbortController();
    const deadline = setTimeout(() => controller.abort(), timeoutMs).unref();
    try {
      return await new Promise<Answer>((resolve, reject) => {
        let status = 0;
        let received: Answer['headers'] = {};
        const chunks: Uint8Array[] = [];
        client.send(
          path,
          // Bytes as they are: the client passes its body through Buffer.from(), whatever it is.
          (body ?? '') as string,
          { method, headers: { ...headers }, signal: controller.signal },
          {
            responseStarted: (all, code = 0) => {
              status = code;
              received = firstValues(all);
            },
            next: (chunk) => void chunks.push(chunk),
            complete: () =>
              resolve({ status, headers: received, body: Buffer.concat(chunks).toString() }),
            error: (error) => {
              if (controller.signal.aborted) {
                reject(new Error(`no answer within ${timeoutMs} ms`, { cause: error }));
              } else {
                const answer = answerOf(error as HttpErrorShape);
                if (answer === undefined) reject(error);
                else resolve(answer);
              }
            },
          },
        );
      });
    } finally {
      clearTimeout(deadline);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function loadClient(url: string, agent: HttpAgent): Promise<ClientTransport> {
  let client: typeof InfluxClient;
  try {
    client = await import('@influxdata/influxdb-client');
  } catch (cause) {
    throw new TokenMeterError(
      'MISSING_DEPENDENCY',
      'the package @influxdata/influxdb-client is needed to write to InfluxDB; install it beside otel-token-meter',
      { cause },
    );
  }
  // The client's own time-out only stops waiting and leaves the socket open: ours aborts.
  return new client.InfluxDB({ url, transportOptions: { agent, timeout: undefined } }).transport;
}

/** Waiting for a server must not keep a process alive that has nothing else to do. */
function neverHoldTheProcess(agent: HttpAgent): void {
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

function answerOf({ statusCode, headers, body }: HttpErrorShape): Answer | undefined {
  if (typeof statusCode !== 'number') return undefined;
  return {
    status: statusCode,
    headers: firstValues((headers ?? {}) as Record<string, string | string[] | undefined>),
    body: typeof body === 'string' ? body : '',
  };
}

function firstValues(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Answer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
