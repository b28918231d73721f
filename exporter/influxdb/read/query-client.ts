import { TokenMeterError } from '../../../src/errors.ts';
import { chooseDialect } from '../dialect.ts';
import type { InfluxAccess, InfluxVersion, ResolvedInfluxOptions } from '../influx-options.ts';
import { isLoopback } from '../../connection/connection.ts';
import type { BoundValues } from './influxql.ts';
import { checkOrganization, isNotSeen, missingPermission } from './permissions.ts';
import { InfluxTransport, RefusedRequest } from '../transport.ts';

export type InfluxValue = string | number | boolean | null;

/** Part of a series: longer ones come in several. */
export interface InfluxSeries {
  readonly tags: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly InfluxValue[])[];
}

interface QueryAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Record<string, string>;
      readonly columns: string[];
      readonly values?: InfluxValue[][];
    }[];
  }[];
}

/** Longest wait for the server to go on with an answer. */
export const READ_TIMEOUT_MS = 60_000;
/** Rows parsed at a time: a few milliseconds of the event loop. */
const CHUNK_ROWS = 2000;
const START = '{"results":';

type Target = Pick<
  ResolvedInfluxOptions,
  Exclude<keyof InfluxAccess, 'proxyUrl' | 'tls'> | 'connection'
>;

interface QueryOptions {
  readonly bound?: BoundValues;
  readonly epoch?: 'ms';
  readonly signal?: AbortSignal | undefined;
  /** That every answer has: VictoriaMetrics answers any query with 200 and a list of databases. @default 'time' */
  readonly column?: string;
}

interface Server {
  readonly version: InfluxVersion;
  readonly headers: Readonly<Record<string, string>>;
}

export interface QueryClientOptions {
  /** Whether a query keeps a process alive that has nothing else to do. @default true */
  readonly holdsProcess?: boolean;
  /** What to do where the bucket is not there. */
  readonly remedy?: string;
}

/** InfluxQL over `/query`, the one way to read that 1.x, 2.x and 3.x share. */
export class InfluxQueryClient {
  readonly #target: Target;
  readonly #transport: InfluxTransport;
  readonly #remedy: string | undefined;
  readonly #closed = new AbortController();
  #server: Promise<Server> | undefined;
  #organization: Promise<void> | undefined;

  constructor(target: Target, { holdsProcess = true, remedy }: QueryClientOptions = {}) {
    this.#remedy = remedy;
    this.#target = target;
    const { connection } = target;
    this.#transport = new InfluxTransport(connection, { maxSockets: Infinity, holdsProcess });
  }

  /** Asked once, and again while the server does not answer. */
  async version(): Promise<InfluxVersion> {
    return (await this.#serverOf()).version;
  }

  /**
   * Streams the answer to one statement (3.x takes no more); leaving the loop ends the request. Times are in
   * milliseconds, or with `epoch: undefined` RFC 3339, whose nanoseconds no number can hold.
   */
  async *query(q: string, options: QueryOptions): AsyncGenerator<InfluxSeries> {
    const { version, headers } = await this.#serverOf();
    if (version === '2') await this.#checkOrganization();
    const [db = '', ...policy] = this.#target.bucket.split('/');
    const parameters = new URLSearchParams({
      db,
      ...(policy.length > 0 && { rp: policy.join('/') }),
      ...(options.epoch && { epoch: options.epoch }),
      chunked: 'true',
      chunk_size: `${CHUNK_ROWS}`,
    });
    const bound = options.bound?.values ?? {};
    const form = { q, ...(Object.keys(bound).length > 0 && { params: JSON.stringify(bound) }) };
    const ended = new AbortController();
    const signals = [
      ended.signal,
      this.#closed.signal,
      ...(options.signal ? [options.signal] : []),
    ];
    const signal = AbortSignal.any(signals);
    // The reader may take its time with what it was given.
    let isServersTurn = true;
    const idle = setTimeout(() => {
      if (isServersTurn) ended.abort(new Error('it took too long'));
      else idle.refresh();
    }, this.#target.timeoutMs);
    try {
      const body = this.#transport.stream({
        method: 'POST',
        path: `/query?${parameters.toString()}`,
        headers: {
          ...headers,
          // 3.x takes no list of types here.
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
          ...(!isLoopback(this.#target.url) && { 'accept-encoding': 'gzip' }),
        },
        body: Buffer.from(new URLSearchParams(form).toString()),
        signal,
      });
      for await (const answer of answers(body, () => idle.refresh())) {
        isServersTurn = false;
        yield* seriesOf(answer, options.column);
        isServersTurn = true;
        idle.refresh();
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof RefusedRequest) {
        throw await this.#explained(refused(error.answer.status, error.answer.body), bound);
      }
      if (error instanceof TokenMeterError) throw await this.#explained(error, bound);
      throw unreachable(this.#target.url, signal.aborted ? signal.reason : error);
    } finally {
      clearTimeout(idle);
      ended.abort();
    }
  }

  /** Asked once, and again after a refusal: the token may have got its rights. */
  #checkOrganization(): Promise<void> {
    this.#organization ??= checkOrganization(this.#transport, this.#target).catch(
      (error: unknown) => {
        this.#organization = undefined;
        throw error;
      },
    );
    return this.#organization;
  }

  /** With what a token of 2.x lacks, and without the values that were asked for. */
  async #explained(
    error: TokenMeterError,
    bound: Readonly<Record<string, string>>,
  ): Promise<TokenMeterError> {
    if (error.code !== 'BACKEND_REFUSED') return error;
    const { version } = await this.#serverOf();
    const missing =
      version === '2' ? await missingPermission(this.#transport, this.#target, error) : undefined;
    const said = missing ?? withoutValues(error.message, Object.values(bound));
    const remedy = isNotSeen(error) && this.#remedy !== undefined ? `; ${this.#remedy}` : '';
    return new TokenMeterError('BACKEND_REFUSED', said + remedy, { value: error.value });
  }

  close(): void {
    this.#closed.abort(new Error('the reader was closed'));
    this.#transport.close();
  }

  #serverOf(): Promise<Server> {
    const { timeoutMs } = this.#target;
    this.#server ??= chooseDialect(this.#target, this.#transport, timeoutMs).catch(
      (error: unknown) => {
        this.#server = undefined;
        throw unreachable(this.#target.url, error);
      },
    );
    return this.#server;
  }
}

/**
 * The objects of a chunked answer, which 1.x and 2.x part by a line break and 3.x by nothing. Their
 * first member cannot occur inside a string: its quotes would be escaped.
 */
async function* answers(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<QueryAnswer> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    onBytes();
    let searched = Math.max(1, text.length - START.length);
    text += decoder.decode(bytes, { stream: true });
    for (;;) {
      const next = text.indexOf(START, searched);
      if (next === -1) break;
      yield parse(text.slice(0, next));
      text = text.slice(next);
      searched = 1;
    }
  }
  if (text.trim() !== '') yield parse(text);
}

function parse(text: string): QueryAnswer {
  try {
    return JSON.parse(text) as QueryAnswer;
  } catch (cause) {
    throw new TokenMeterError('BACKEND_REFUSED', 'the answer of InfluxDB is no JSON', { cause });
  }
}

function* seriesOf(answer: QueryAnswer, column = 'time'): Generator<InfluxSeries> {
  if (answer.error !== undefined) throw refused(200, answer.error);
  for (const { error, series = [] } of answer.results ?? []) {
    if (error !== undefined) throw refused(200, error);
    for (const { tags = {}, columns, values = [] } of series) {
      if (!columns.includes(column)) {
        throw refused(200, 'the server does not understand InfluxQL');
      }
      yield { tags, columns, values };
    }
  }
}

function refused(status: number, body: string): TokenMeterError {
  const [, said = body] = /"(?:error|message)":\s*"((?:[^"\\]|\\.)*)"/.exec(body) ?? [];
  const message = said.trim().slice(0, 300);
  return new TokenMeterError('BACKEND_REFUSED', `InfluxDB refused the query: ${message}`, {
    value: status,
  });
}

/** A server may quote what it was asked for, and that may be a user. */
function withoutValues(message: string, values: readonly string[]): string {
  return values
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
    .filter((value) => value !== '')
    .reduce((text, value) => text.replaceAll(value, '…'), message);
}

function unreachable(url: string, cause: unknown): TokenMeterError {
  const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
  const message = inner instanceof Error ? inner.message : String(inner);
  return new TokenMeterError(
    'BACKEND_UNREACHABLE',
    `InfluxDB at ${new URL(url).origin} does not answer: ${message}`,
    { cause },
  );
}
