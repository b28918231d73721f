import { type LineChunk, sumOfLines } from '../../../spool/line-queue.ts';
import type { ExporterError, ExporterState } from '../../../health/status.ts';
import { type Complaint, judge, mayBlameLines, type Verdict } from './answers.ts';
import type { BackOff } from '../../../delivery/back-off.ts';
import { BatchSize } from '../../../delivery/batch-size.ts';
import {
  type DeliveryHooks,
  DeliveryStopped,
  type LineDelivery,
  writeWithoutErased,
} from '../../../delivery/line-delivery.ts';
import { oldestLines, withoutFieldInAll, withTag } from './line-edits.ts';
import { ServerState } from '../../../delivery/server-state.ts';
import { halve, singleLines } from '../../../delivery/split-lines.ts';
import type { LateCalls } from '../../rollup/late-calls.ts';
import { type Attempt, WriteAttempts, type WriteOptions } from './write-attempts.ts';

export interface DeliveryOptions extends WriteOptions, DeliveryHooks {
  readonly backOff: BackOff;
  /** Whether a line says what matters without this field. */
  readonly isOptionalField: (name: string) => boolean;
  /** What stands for a value of a tag of which the server takes no more; undefined for nothing. */
  readonly otherValueOf?: (tag: string, value: string) => string | undefined;
  readonly late?: LateCalls;
}

/** A single line is given up after so many failures in a row while the server takes another line in between. */
const MAX_PROVEN_FAILURES = 6;
const FIRST_REST_MS = 250;
const EXPIRED = 'other calls of the hour are no longer kept, and its sums could not be made again';
const COMMENT: LineChunk = { body: Buffer.from('# token-meter\n'), lines: 0, multiline: false };

/**
 * Brings chunks to the server, however long that takes: every line is stored, or dropped with a reason,
 * when `deliver` resolves. Resends are harmless, because every line carries its own timestamp.
 */
export class Delivery implements LineDelivery {
  readonly #options: DeliveryOptions;
  readonly #server: ServerState;
  readonly #writes: WriteAttempts;
  readonly #markWrites: WriteAttempts;
  readonly #size = new BatchSize();
  /** A line that the server took: that it takes it again shows that other lines are at fault. */
  #proof: LineChunk | undefined;
  /** Bytes of the largest body that was stored. */
  #maxStored = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#server = new ServerState(options.backOff, options.counts);
    this.#writes = new WriteAttempts(options, this.#server);
    const ofMarks = options.late?.dialectOfMarks(options.transport);
    this.#markWrites = ofMarks
      ? new WriteAttempts({ ...options, chooseDialect: ofMarks }, this.#server)
      : this.#writes;
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

  /** How much one send may hold at present. */
  get maxBatchBytes(): number {
    return this.#size.maxBytes;
  }

  /** Rejects with `DeliveryStopped` only. */
  async deliver(chunks: readonly LineChunk[]): Promise<void> {
    await this.#deliver(chunks, { stored: false });
  }

  /** Ends the current pause, unless the server asked for it: the next attempt is made at once. */
  retryNow(): void {
    this.#server.retryNow();
  }

  /** No attempt begins after this; those under way come to their end. */
  stop(): void {
    this.#server.stop();
  }

  /** `batch.stored`: a part of the same batch was taken, so the request as such is right. */
  async #deliver(chunks: readonly LineChunk[], batch: { stored: boolean }): Promise<void> {
    let failures = 0;
    let proven = 0;
    for (;;) {
      let lines = sumOfLines(chunks);
      const bytes = sumOfBytes(chunks);
      if (lines === 0) return;
      const inHalves = async (): Promise<void> => {
        for (const half of halve(chunks)) await this.#deliver(half, batch);
      };
      if (lines > 1 && bytes > this.#size.maxBytes * 1.5) return await inHalves();
      const attempt = await this.#server.attempt(async () => {
        let left: readonly LineChunk[] = [];
        const { answer } = await writeWithoutErased(chunks, this.#options, async (all) => {
          left = all;
          const kept = await this.#withoutExpired(all);
          if ('verdict' in kept) return kept;
          left = kept;
          return kept.length === 0 ? undefined : await this.#attempt(kept);
        });
        chunks = left;
        lines = sumOfLines(chunks);
        return answer ?? 'nothing left';
      });
      if (attempt === undefined) throw new DeliveryStopped();
      if (attempt === 'nothing left') return;
      const { verdict, message, status = 0, complaint, otherWay } = attempt;
      if (verdict.kind === 'stored') {
        batch.stored = true;
        this.#stored(chunks, bytes);
        return;
      }
      // A larger body was stored: something on the way answers at random.
      const isImplausible = verdict.kind === 'tooLarge' && lines === 1 && bytes <= this.#maxStored;
      if (isImplausible) this.#server.failed('later', String(status), message);
      if ((verdict.kind === 'refused' || verdict.kind === 'tooLarge') && !isImplausible) {
        const left = complaint === undefined ? undefined : this.#remedy(chunks, complaint, message);
        if (left !== undefined) {
          chunks = left;
          continue;
        }
        if (lines > 1) return await inHalves();
        if (batch.stored || (await this.#isLineAtFault(verdict, message))) {
          const reason = verdict.kind === 'tooLarge' ? 'too_large' : verdict.reason;
          this.#options.onRefused(chunks, reason, message);
          return;
        }
      } else if (verdict.kind === 'later' && verdict.timedOut === true) {
        this.#size.timedOut(bytes);
        if (lines > 1) {
          this.#options.counts.retries++;
          return await inHalves();
        }
      } else if (mayBlameLines(status) && ++failures > 1) {
        const shownBy = await this.#takesOthers();
        if (shownBy !== undefined && lines > 1) return await inHalves();
        // A server that fails now and then fails to take the proof as well, and the count begins again.
        proven = shownBy === 'line' ? proven + 1 : 0;
        if (proven >= MAX_PROVEN_FAILURES) {
          const reason = verdict.kind === 'tooLarge' ? 'too_large' : 'refused';
          this.#options.onRefused(chunks, reason, message);
          return;
        }
        // The server is well: only this line waits.
        if (proven > 0) await this.#rest(proven);
      }
      if (otherWay !== true) this.#options.counts.retries++;
    }
  }

  /** Sums that outlive their calls cannot be made again, and may have a call already that comes once more. */
  async #withoutExpired(chunks: readonly LineChunk[]): Promise<readonly LineChunk[] | Attempt> {
    const { late, onRefused } = this.#options;
    if (late === undefined) return chunks;
    try {
      const { kept, expired } = await late.sorted(chunks);
      if (expired.length > 0) onRefused(expired, 'beyond_retention', EXPIRED);
      return kept;
    } catch (error) {
      return this.#writes.unreachable(error);
    }
  }

  /** Calls are never written before their mark, or a roll-up would be taken for right without them. */
  async #attempt(chunks: readonly LineChunk[]): Promise<Attempt> {
    const marks = this.#options.late?.marks.before(chunks);
    if (marks !== undefined) {
      const attempt = await this.#markWrites.attempt([marks.chunk]);
      const { kind } = attempt.verdict;
      if (kind === 'later' || kind === 'attention' || kind === 'plain') return attempt;
      // A mark that is refused is older than the bucket keeps.
      marks.stored();
    }
    return await this.#writes.attempt(chunks);
  }

  #stored(chunks: readonly LineChunk[], bytes: number): void {
    this.#options.counts.delivered += sumOfLines(chunks);
    this.#size.passed(bytes);
    this.#maxStored = Math.max(this.#maxStored, bytes);
    const [first] = chunks;
    const [line] = first === undefined ? [] : singleLines([firstLine(first)]);
    // A copy: the memory of a chunk is used again.
    if (line !== undefined) this.#proof = { ...line, body: Buffer.from(line.body) };
  }

  /** What is left to send after a complaint about some of the lines; undefined when that is not known. */
  #remedy(
    chunks: readonly LineChunk[],
    complaint: Complaint,
    message: string,
  ): readonly LineChunk[] | undefined {
    const { counts, isOptionalField, otherValueOf, onRefused } = this.#options;
    switch (complaint.kind) {
      case 'type': {
        if (!isOptionalField(complaint.field)) return undefined;
        // Lines that were stored with the field keep it: fields of one point add up.
        const edited = withoutFieldInAll(chunks, complaint.field, complaint.stored);
        for (let i = 0; i < (edited?.changed ?? 0); i++) counts.clean('type_conflict');
        return edited?.chunks;
      }
      case 'retention': {
        const old = oldestLines(chunks, complaint.lines);
        if (old === undefined) return undefined;
        onRefused(old, 'beyond_retention', message);
        counts.delivered += sumOfLines(chunks) - old.length;
        return [];
      }
      case 'tagLimit': {
        // Lines that are stored under their tag must not be stored under another as well: one by one only.
        const [line] = chunks;
        if (line === undefined || sumOfLines(chunks) > 1) return undefined;
        const edited = withTag(line, complaint.tag, (value) =>
          otherValueOf?.(complaint.tag, value),
        );
        if (edited === undefined) return undefined;
        counts.clean('tag_limit');
        return [edited];
      }
    }
  }

  /**
   * Whether the server takes other bodies than the one it just failed on: a line that it took before, or, as long
   * as there is none, a comment, which shows less.
   */
  async #takesOthers(): Promise<'line' | 'comment' | undefined> {
    const proof = this.#proof === undefined ? [] : [this.#proof];
    const write = async (left: readonly LineChunk[]) => {
      // A call that was erased since must not be stored again. Not counted as dropped: it was delivered.
      if (left.length === 0) this.#proof = undefined;
      const probe = this.#proof ?? COMMENT;
      const answer = await this.#writes.write([probe]).catch(() => undefined);
      if (answer === undefined || judge(answer, Date.now()).kind !== 'stored') return undefined;
      this.#server.succeeded();
      return probe === COMMENT ? 'comment' : 'line';
    };
    return await (this.#options.erased?.writing(proof, write) ?? write(proof));
  }

  async #rest(failures: number): Promise<void> {
    const ms = FIRST_REST_MS * 2 ** failures;
    await new Promise((resolve) => setTimeout(resolve, ms).unref());
  }

  /**
   * Some servers answer a wrong parameter as they answer a wrong line. A write of nothing but a comment
   * tells the two apart: nobody may drop good lines because of a typing error in a bucket's name.
   */
  async #isLineAtFault(verdict: Verdict, message: string): Promise<boolean> {
    const answer = await this.#writes.write([COMMENT]).catch(() => undefined);
    if (answer === undefined) return false;
    const said = judge(answer, Date.now());
    // 3.x refuses a body without a line, after it found everything else right.
    if (said.kind === 'stored' || /incoming write was empty/.test(answer.body)) return true;
    if (said.kind === verdict.kind) this.#writes.attention(answer.status, message);
    return false;
  }
}

function sumOfBytes(chunks: readonly LineChunk[]): number {
  return chunks.reduce((sum, { body }) => sum + body.length, 0);
}

/** A chunk of the first line alone, which is found without looking at the others. */
function firstLine(chunk: LineChunk): LineChunk {
  return { ...chunk, lines: 1 };
}
