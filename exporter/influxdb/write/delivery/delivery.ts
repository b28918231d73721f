import type { Dialect } from '../../dialect.ts';
import type { Answer, Transport } from '../../transport.ts';
import type { ExportCounts, DropReason } from '../../../health/export-counts.ts';
import { type LineChunk, sumOfLines } from '../../../spool/line-queue.ts';
import type { ExporterError, ExporterState } from '../../../health/status.ts';
import { conflictingField, explain, judge, type Verdict } from './answers.ts';
import type { BackOff } from './back-off.ts';
import { compressed } from './gzip-body.ts';
import { halve, withoutField, withoutInnerBreaks } from './split-lines.ts';

export interface DeliveryOptions {
  readonly transport: Transport;
  /** Asked before the first write, and again after a failure that may mean another server. */
  readonly chooseDialect: () => Promise<Dialect>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  readonly backOff: BackOff;
  readonly counts: ExportCounts;
  /** Whether a line says what matters without this field. */
  readonly isOptionalField: (name: string) => boolean;
  /** Keeps a line that the server refuses for good. */
  readonly onRefused: (line: LineChunk, reason: DropReason, message: string) => void;
  /** Asked after each failed attempt, with the failures in a row; true ends the delivery. @default never */
  readonly givesUp?: (kind: 'later' | 'attention', failures: number) => boolean;
  /** Told the duration of each answered write. */
  readonly onLatency: (ms: number) => void;
}

interface Attempt {
  readonly verdict: Verdict;
  readonly message: string;
  /** An optional field that the server holds with another type. */
  readonly conflict?: string;
  /** The server is well and wants the same lines in another way, which is tried at once. */
  readonly otherWay?: boolean;
}

/** Thrown to leave a delivery whose lines stay in the queue. */
export class DeliveryStopped extends Error {}

/**
 * Brings chunks to the server, however long that takes: every line is stored, or dropped with a reason,
 * when `deliver` resolves. Resends are harmless, because every line carries its own timestamp.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  #dialect: Dialect | undefined;
  #gzip: boolean;
  #state: ExporterState = 'ok';
  #stopped = false;
  /** Settles when the pause after the last failure is over. */
  #pause: Promise<void> = Promise.resolve();
  #endPause: () => void = () => {};
  #isPauseAskedFor = false;
  /** While the server fails, one attempt at a time finds out whether it still does. */
  #probe: Promise<unknown> | undefined;
  lastError: ExporterError | undefined;
  lastSuccess: string | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#gzip = options.gzip;
  }

  get state(): ExporterState {
    return this.#stopped ? 'closed' : this.#state;
  }

  get isFailing(): boolean {
    return this.#options.backOff.failures > 0;
  }

  /** Rejects with `DeliveryStopped` only. */
  async deliver(chunks: readonly LineChunk[]): Promise<void> {
    await this.#deliver(chunks, { stored: false });
  }

  /** Ends the current pause, unless the server asked for it: the next attempt is made at once. */
  retryNow(): void {
    if (!this.#isPauseAskedFor) this.#endPause();
  }

  /** No attempt begins after this; those under way come to their end. */
  stop(): void {
    this.#stopped = true;
    this.#endPause();
  }

  /** `batch.stored`: a part of the same batch was taken, so the request as such is right. */
  async #deliver(chunks: readonly LineChunk[], batch: { stored: boolean }): Promise<void> {
    for (;;) {
      await this.#turn();
      if (this.#stopped) throw new DeliveryStopped();
      const attempt = this.#attempt(chunks);
      if (this.isFailing) this.#probe = attempt.finally(() => (this.#probe = undefined));
      const { verdict, message, conflict, otherWay } = await attempt;
      if (verdict.kind === 'stored') {
        batch.stored = true;
        this.#options.counts.delivered += sumOfLines(chunks);
        return;
      }
      if (verdict.kind === 'refused' || verdict.kind === 'tooLarge') {
        const [line, ...others] = chunks;
        if (line === undefined) return;
        if (others.length > 0 || line.lines > 1) {
          for (const half of halve(chunks)) await this.#deliver(half, batch);
          return;
        }
        const shorter = conflict === undefined ? undefined : withoutField(line, conflict);
        if (shorter !== undefined) {
          this.#options.counts.clean('type_conflict');
          chunks = [shorter];
          continue;
        }
        if (batch.stored || (await this.#isLineAtFault(verdict, message))) {
          const reason = verdict.kind === 'tooLarge' ? 'too_large' : verdict.reason;
          this.#options.onRefused(line, reason, message);
          return;
        }
      }
      if (otherWay !== true) this.#options.counts.retries++;
    }
  }

  async #turn(): Promise<void> {
    await this.#pause;
    while (this.#probe !== undefined && !this.#stopped) {
      await this.#probe;
      await this.#pause;
    }
  }

  /** One write and what it says about the server. */
  async #attempt(chunks: readonly LineChunk[]): Promise<Attempt> {
    const start = performance.now();
    let answer: Answer;
    try {
      answer = await this.#write(chunks);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#fail('later', codeOf(error), message);
      return { verdict: { kind: 'later' }, message };
    }
    this.#options.onLatency(performance.now() - start);
    const verdict = judge(answer, Date.now());
    const message = explain(answer);
    switch (verdict.kind) {
      case 'stored':
        this.#succeed();
        break;
      case 'plain':
        this.#gzip = false;
        return { verdict, message, otherWay: true };
      case 'later':
        this.#fail('later', String(answer.status), message, verdict.retryAfterMs);
        break;
      case 'attention':
        return { verdict, message, otherWay: this.#attention(answer.status, message) };
      case 'refused':
      case 'tooLarge':
        break;
    }
    const conflict = conflictingField(answer);
    return conflict !== undefined && this.#options.isOptionalField(conflict)
      ? { verdict, message, conflict }
      : { verdict, message };
  }

  async #write(chunks: readonly LineChunk[]): Promise<Answer> {
    const { transport, timeoutMs } = this.#options;
    const dialect = (this.#dialect ??= await this.#options.chooseDialect());
    const readable = dialect.multilineStrings ? chunks : chunks.map(withoutInnerBreaks);
    const body = Buffer.concat(readable.map((chunk) => chunk.body));
    const content = this.#gzip ? await compressed(body) : { body, headers: {} };
    return await transport.request({
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
  }

  /**
   * Some servers answer a wrong parameter as they answer a wrong line. A write of nothing but a comment
   * tells the two apart: nobody may drop good lines because of a typing error in a bucket's name.
   */
  async #isLineAtFault(verdict: Verdict, message: string): Promise<boolean> {
    const comment = { body: Buffer.from('# token-meter\n'), lines: 0, multiline: false };
    const answer = await this.#write([comment]).catch(() => undefined);
    if (answer === undefined) return false;
    const said = judge(answer, Date.now());
    // 3.x refuses a body without a line, after it found everything else right.
    if (said.kind === 'stored' || /incoming write was empty/.test(answer.body)) return true;
    if (said.kind === verdict.kind) this.#attention(answer.status, message);
    return false;
  }

  #succeed(): void {
    const { backOff } = this.#options;
    backOff.succeed();
    this.#state = 'ok';
    this.lastSuccess = new Date().toISOString();
    this.#endPause();
  }

  /** True when there is another way to write to this server. */
  #attention(status: number, message: string): boolean {
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
    const { backOff, counts } = this.#options;
    this.#state = kind === 'attention' || backOff.failures >= 10 ? 'failing' : 'retrying';
    this.lastError = { time: new Date().toISOString(), code, message };
    counts.warn(
      kind === 'attention' ? `attention ${code}` : 'later',
      kind === 'attention'
        ? `the server does not take writes (${message}); records are kept until that is put right`
        : `cannot write now (${message}); records are kept and sent again`,
    );
    const ms = backOff.fail(retryAfterMs);
    this.#isPauseAskedFor = retryAfterMs !== undefined;
    this.#endPause();
    this.#pause = new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (this.#options.givesUp?.(kind, backOff.failures) === true) this.stop();
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'BACKEND_UNREACHABLE';
}
