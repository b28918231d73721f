import type { Dialect } from '../../dialect.ts';
import type { Answer, Transport } from '../../transport.ts';
import type { LineChunk } from '../../../spool/line-queue.ts';
import { type Complaint, complaintIn, explain, judge, type Verdict } from './answers.ts';
import { compressed } from './gzip-body.ts';
import type { ErasedUsers } from '../../../delivery/erased-users.ts';
import type { ServerState } from '../../../delivery/server-state.ts';
import { withoutInnerBreaks } from '../../../delivery/split-lines.ts';

export interface WriteOptions {
  readonly transport: Transport;
  /** Asked before the first write, and again after a failure that may mean another server. */
  readonly chooseDialect: () => Promise<Dialect>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  /** Called after each failed attempt, with the failures in a row; true ends the delivery. @default never */
  readonly givesUp?: (kind: 'later' | 'attention', failures: number) => boolean;
  /** Notes writes without an answer. Absent: the lines are of no users. */
  readonly erased?: ErasedUsers | undefined;
  /** Called with the duration of each answered write. */
  readonly onLatency: (ms: number) => void;
}

export interface Attempt {
  readonly verdict: Verdict;
  readonly message: string;
  /** Absent without an answer. */
  readonly status?: number;
  readonly complaint?: Complaint | undefined;
  /** The server is well and wants the same lines in another way, which is tried at once. */
  readonly otherWay?: boolean;
}

/** Single writes in the dialect of the server, and what each says about the server. */
export class WriteAttempts {
  readonly #options: WriteOptions;
  readonly #server: ServerState;
  #dialect: Dialect | undefined;
  #gzip: boolean;

  constructor(options: WriteOptions, server: ServerState) {
    this.#options = options;
    this.#server = server;
    this.#gzip = options.gzip;
  }

  /** One write and what it says about the server. */
  async attempt(chunks: readonly LineChunk[]): Promise<Attempt> {
    const start = performance.now();
    let answer: Answer;
    try {
      answer = await this.write(chunks);
    } catch (error) {
      return this.unreachable(error);
    }
    this.#options.onLatency(performance.now() - start);
    const verdict = judge(answer, Date.now());
    const { status } = answer;
    const message = explain(answer);
    switch (verdict.kind) {
      case 'stored':
        this.#server.succeeded();
        return { verdict, message };
      case 'plain':
        this.#gzip = false;
        return { verdict, message, otherWay: true };
      case 'later':
        this.#fail('later', String(status), message, verdict.retryAfterMs);
        return { verdict, message, status };
      case 'attention':
        return { verdict, message, status, otherWay: this.attention(status, message) };
      case 'refused':
      case 'tooLarge':
        return { verdict, message, status, complaint: complaintIn(answer) };
    }
  }

  /** There was no answer. */
  unreachable(error: unknown): Attempt {
    const message = error instanceof Error ? error.message : String(error);
    const code = codeOf(error);
    this.#fail('later', code, message);
    return { verdict: { kind: 'later', timedOut: code === 'ETIMEDOUT' }, message };
  }

  /** Rejects when there is no answer. */
  async write(chunks: readonly LineChunk[]): Promise<Answer> {
    const { transport, timeoutMs, erased } = this.#options;
    const dialect = (this.#dialect ??= await this.#options.chooseDialect());
    const readable = dialect.multilineStrings ? chunks : chunks.map(withoutInnerBreaks);
    const body = joined(readable.map((chunk) => chunk.body));
    const content = this.#gzip ? await compressed(body) : { body, headers: {} };
    const request = async (): Promise<Answer> =>
      await transport.request({
        method: 'POST',
        path: dialect.path,
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          ...dialect.headers,
          ...content.headers,
        },
        body: content.body,
        timeoutMs,
      });
    return await (erased?.noting(request) ?? request());
  }

  /** True when there is another way to write to this server. */
  attention(status: number, message: string): boolean {
    const isUnknownPath = status === 404 || status === 405 || status < 300;
    if (isUnknownPath && this.#dialect?.fallback !== undefined) {
      this.#dialect = this.#dialect.fallback;
      return true;
    }
    // Perhaps another release answers here now.
    this.#dialect = undefined;
    this.#fail('attention', String(status), message);
    return false;
  }

  #fail(kind: 'later' | 'attention', code: string, message: string, retryAfterMs?: number): void {
    this.#server.failed(kind, code, message, retryAfterMs);
    if (this.#options.givesUp?.(kind, this.#server.failures) === true) this.#server.stop();
  }
}

/** In memory of its own, as the transport sends it without another copy. */
function joined(pieces: readonly Buffer[]): Buffer {
  const body = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) end += piece.copy(body, end);
  return body;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'BACKEND_UNREACHABLE';
}
