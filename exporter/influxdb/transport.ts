import type { Agent } from 'node:http';
import type { HttpError, Transport as ClientTransport } from '@influxdata/influxdb-client';
import { type Connection, makeAgent } from '../connection/connection.ts';

type ClientHeaders = NonNullable<HttpError['headers']>;

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, after the base address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** The whole exchange; its socket is destroyed then. */
  readonly timeoutMs: number;
}

export interface StreamRequest extends Omit<TransportRequest, 'timeoutMs'> {
  readonly signal: AbortSignal;
}

/** A server's answer, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Transport {
  /** Rejects only when there is no answer: network, time-out. */
  request(request: TransportRequest): Promise<Answer>;
  /** Closes idle sockets and cuts what still runs. */
  close(): void;
}

/** The answer to a streamed request was not a 2xx. */
export class RefusedRequest extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`HTTP ${answer.status}`);
    this.answer = answer;
  }
}

/** Of an exchange that is over; an error would cost a stack trace. */
const ENDED = 'ended';
/** What is read of an answer to a write. */
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * The transport of `@influxdata/influxdb-client` with what it leaves open: a deadline that destroys the
 * socket, a bounded number of sockets, proxy and certificates. Its `WriteApi` is not used: it holds lines
 * as strings in a second buffer, retries by rules of its own and gives up after three minutes.
 */
export class InfluxTransport implements Transport {
  readonly #url: string;
  readonly #agent: Agent;
  #client: Promise<ClientTransport> | undefined;

  constructor(
    connection: Connection,
    options: { readonly maxSockets: number; readonly holdsProcess: boolean },
  ) {
    this.#url = connection.url;
    this.#agent = makeAgent(connection, options);
  }

  async request({ method, path, headers, body, timeoutMs }: TransportRequest): Promise<Answer> {
    const client = await this.#loaded();
    const ended = new AbortController();
    const deadline = setTimeout(() => ended.abort(), timeoutMs).unref();
    try {
      return await new Promise<Answer>((resolve, reject) => {
        let start: { status: number; headers: ClientHeaders } | undefined;
        const pieces: Uint8Array[] = [];
        let bytes = 0;
        client.send(
          path,
          asText(body),
          { method, headers: { ...headers }, signal: ended.signal },
          {
            responseStarted: (received, status = 0) => (start = { status, headers: received }),
            next: (piece: Uint8Array) => {
              bytes += piece.length;
              if (bytes <= MAX_ANSWER_BYTES) pieces.push(piece);
            },
            complete: () => {
              const { status = 0, headers: received = {} } = start ?? {};
              const text = Buffer.concat(pieces).toString();
              resolve({ status, headers: firstValues(received), body: text });
            },
            error: (error) => {
              const answer = answerIn(error);
              if (answer !== undefined) resolve(answer);
              else if (!ended.signal.aborted) reject(error);
              else reject(timedOut(timeoutMs, error));
            },
          },
        );
      });
    } finally {
      clearTimeout(deadline);
      // A refusal may come before the body is sent. The rest is not; a finished exchange is let go by then.
      setImmediate(() => ended.abort(ENDED));
    }
  }

  /**
   * The body of a 2xx answer as it arrives. Throws `RefusedRequest` for another status. Leaving the loop or
   * an abort of `signal` ends the request.
   */
  async *stream({
    method,
    path,
    headers,
    body,
    signal,
  }: StreamRequest): AsyncGenerator<Uint8Array, void, undefined> {
    const client = await this.#loaded();
    try {
      yield* client.iterate(path, asText(body), { method, headers: { ...headers }, signal });
    } catch (error) {
      const answer = answerIn(error);
      if (answer !== undefined) throw new RefusedRequest(answer);
      throw error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Loaded with the first request: programs that never send pay nothing for it. */
  async #loaded(): Promise<ClientTransport> {
    this.#client ??= import('@influxdata/influxdb-client').then(({ InfluxDB }) => {
      const client = new InfluxDB({
        url: this.#url,
        headers: { 'User-Agent': 'otel-token-meter' },
        // Of one silence only; `request` has a deadline for the whole.
        timeout: 0,
        transportOptions: { agent: this.#agent },
      });
      return client.transport;
    });
    return await this.#client;
  }
}

/**
 * Declared as a string and given to `Buffer.from`, which takes bytes as well: it copies a buffer, and not an
 * `ArrayBuffer` (client 1.35, tested). So a body that fills its memory is sent without a copy.
 */
function asText(body: Buffer | undefined): string {
  const isWhole = body?.byteLength === body?.buffer.byteLength;
  return ((isWhole ? body?.buffer : body) ?? '') as unknown as string;
}

function timedOut(timeoutMs: number, cause: Error): Error {
  const error = new Error(`no answer within ${timeoutMs} ms`, { cause });
  return Object.assign(error, { code: 'ETIMEDOUT' });
}

/** What the client makes an error of: any status from 300 on. */
function answerIn(error: unknown): Answer | undefined {
  const { statusCode, body = '', headers = {} } = error as Partial<HttpError>;
  if (statusCode === undefined) return undefined;
  return { status: statusCode, headers: firstValues(headers), body };
}

function firstValues(headers: ClientHeaders): Answer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'object' ? value[0] : value,
    ]),
  );
}
