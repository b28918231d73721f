import { createHash } from 'node:crypto';
import type { BackOff } from '../../delivery/back-off.ts';
import { BatchSize } from '../../delivery/batch-size.ts';
import {
  type DeliveryHooks,
  DeliveryStopped,
  type LineDelivery,
  writeWithoutErased,
} from '../../delivery/line-delivery.ts';
import { ServerState } from '../../delivery/server-state.ts';
import { halve } from '../../delivery/split-lines.ts';
import type { ExporterError, ExporterState } from '../../health/status.ts';
import { type LineChunk, sumOfLines } from '../../spool/line-queue.ts';
import { type InsertAnswer, type Judgement, judge } from './answers.ts';
import type { LateRows } from './late-rows.ts';

const EXPIRED = 'older than the calls that the ledger keeps';

export interface BlockDeliveryOptions extends DeliveryHooks {
  /** Rejects when there is no answer. `token`: the same for the same rows. */
  readonly insert: (rows: Buffer, token: string) => Promise<InsertAnswer>;
  readonly backOff: BackOff;
  readonly late: LateRows;
}

/**
 * Brings rows to the server in blocks, of which all or nothing is stored. A resend of a block is dropped by its
 * token, one that was cut otherwise by the key of its rows.
 */
export class BlockDelivery implements LineDelivery {
  readonly #options: BlockDeliveryOptions;
  readonly #server: ServerState;
  readonly #size = new BatchSize();

  constructor(options: BlockDeliveryOptions) {
    this.#options = options;
    this.#server = new ServerState(options.backOff, options.counts);
  }

  get state(): ExporterState {
    return this.#server.state;
  }

  get lastError(): ExporterError | undefined {
    return this.#server.lastError;
  }

  get lastSuccess(): string | undefined {
    return this.#server.lastSuccess;
  }

  get maxBatchBytes(): number {
    return this.#size.maxBytes;
  }

  retryNow(): void {
    this.#server.retryNow();
  }

  stop(): void {
    this.#server.stop();
  }

  async deliver(chunks: readonly LineChunk[]): Promise<void> {
    const { counts, onRefused } = this.#options;
    for (;;) {
      const lines = sumOfLines(chunks);
      if (lines === 0) return;
      let body = Buffer.concat(chunks.map((chunk) => chunk.body));
      if (lines > 1 && body.length > this.#size.maxBytes * 1.5) return await this.#inHalves(chunks);
      const judgement = await this.#server.attempt(async () => {
        const sent = chunks;
        chunks = await this.#withoutExpired(chunks);
        if (chunks.length === 0) return 'nothing left';
        const attempted = await writeWithoutErased(chunks, this.#options, async (left) => {
          if (left !== sent) body = Buffer.concat(left.map((chunk) => chunk.body));
          return await this.#attempt(body);
        });
        chunks = attempted.left;
        return attempted.answer ?? 'nothing left';
      });
      if (judgement === undefined) throw new DeliveryStopped();
      if (judgement === 'nothing left') return;
      const { verdict, code, message } = judgement;
      if (verdict.kind === 'stored') {
        counts.delivered += sumOfLines(chunks);
        this.#size.passed(body.length);
        return;
      }
      if (verdict.kind === 'refused' || verdict.kind === 'tooLarge') {
        if (sumOfLines(chunks) > 1) return await this.#inHalves(chunks);
        if (this.lastSuccess !== undefined) {
          onRefused(chunks, verdict.kind === 'tooLarge' ? 'too_large' : 'refused', message);
          return;
        }
        // Where no row was ever stored, the table may be at fault: nobody drops good rows for that.
        this.#server.failed('attention', code, message);
      } else if (verdict.kind === 'later' && verdict.timedOut === true) {
        this.#size.timedOut(body.length);
        if (sumOfLines(chunks) > 1) {
          counts.retries++;
          return await this.#inHalves(chunks);
        }
      }
      counts.retries++;
    }
  }

  /** Sums that outlive their calls cannot be made again, and may have a call already that comes once more. */
  async #withoutExpired(chunks: readonly LineChunk[]): Promise<readonly LineChunk[]> {
    const { late, onRefused } = this.#options;
    const { kept, expired } = await late.sorted(chunks);
    if (expired.length > 0) onRefused(expired, 'beyond_retention', EXPIRED);
    return kept;
  }

  async #inHalves(chunks: readonly LineChunk[]): Promise<void> {
    for (const half of halve(chunks)) await this.deliver(half);
  }

  /** One insert, and what it says about the server. */
  async #attempt(body: Buffer): Promise<Judgement> {
    const judgement = await this.#insert(body);
    const { verdict, code, message } = judgement;
    if (verdict.kind === 'stored') this.#server.succeeded();
    else if (verdict.kind === 'attention') this.#server.failed('attention', code, message);
    else if (verdict.kind === 'later') {
      this.#server.failed('later', code, message, verdict.retryAfterMs);
    }
    return judgement;
  }

  async #insert(body: Buffer): Promise<Judgement> {
    const token = createHash('sha256').update(body).digest('hex');
    const start = performance.now();
    try {
      const { insert, erased } = this.#options;
      const request = async (): Promise<InsertAnswer> => await insert(body, token);
      const answer = await (erased?.noting(request) ?? request());
      this.#options.onLatency(performance.now() - start);
      return judge(answer, Date.now());
    } catch (error) {
      const { code, message, name } = error as Partial<Error & { code: string }>;
      const said = message === undefined || message === '' ? String(code ?? error) : message;
      if (code === 'MISSING_DEPENDENCY') {
        return { verdict: { kind: 'attention' }, code, message: said };
      }
      const timedOut = code === 'ETIMEDOUT' || name === 'TimeoutError';
      const shown = typeof code === 'string' ? code : 'BACKEND_UNREACHABLE';
      return { verdict: { kind: 'later', timedOut }, code: shown, message: said };
    }
  }
}
