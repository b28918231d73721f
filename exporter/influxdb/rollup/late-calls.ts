import { TokenMeterError } from '../../../src/errors.ts';
import type { LineChunk } from '../../spool/line-queue.ts';
import { singleLines } from '../../delivery/split-lines.ts';
import { chooseDialect, type Dialect } from '../dialect.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { READ_TIMEOUT_MS } from '../read/query-client.ts';
import type { Transport } from '../transport.ts';
import { timeOf } from '../write/delivery/line-edits.ts';
import { presentKeptCalls, storedKeptCalls } from './kept-calls.ts';
import { LateMarks, lateHours } from './late-marks.ts';
import { LedgerClients } from './ledger-clients.ts';
import { RollUpPlace } from './roll-up-place.ts';

/** How long it counts from when calls are kept. */
const KEEP_MS = 300_000;

interface SortedLines {
  readonly kept: readonly LineChunk[];
  readonly expired: readonly LineChunk[];
}

/** What calls that come after the end of their hour need: marks, and sums that can still be made again. */
export class LateCalls {
  readonly marks: LateMarks;
  readonly #place: RollUpPlace;
  readonly #now: () => number;
  readonly #clients: LedgerClients | undefined;
  #kept: { readonly fromMs: number; readonly readMs: number } | undefined;

  constructor(target: ResolvedInfluxOptions, by: string, now: () => number = Date.now) {
    this.#place = new RollUpPlace(target);
    this.marks = new LateMarks(this.#place, by, now);
    this.#now = now;
    this.#clients = this.#place.isSeparate
      ? new LedgerClients({ ...target, timeoutMs: READ_TIMEOUT_MS }, { holdsProcess: false })
      : undefined;
  }

  /** How marks are written; undefined where they go with the calls. */
  dialectOfMarks(transport: Transport): (() => Promise<Dialect>) | undefined {
    const { isSeparate, target } = this.#place;
    if (!isSeparate) return undefined;
    return async () => await chooseDialect(target, transport, target.timeoutMs);
  }

  /**
   * Sorts out lines of hours whose calls are no longer kept: their sums may have them already, and could not be made
   * again. Rejects with `BACKEND_UNREACHABLE`.
   */
  async sorted(chunks: readonly LineChunk[]): Promise<SortedLines> {
    const all = { kept: chunks, expired: [] };
    if (this.#clients === undefined) return all;
    const [first = Infinity] = [...lateHours(chunks, this.#now())].toSorted((a, b) => a - b);
    if (first === Infinity) return all;
    const endNs = BigInt(await this.#keptFrom(this.#clients)) * 1_000_000n;
    if (BigInt(first) * 1_000_000n >= endNs) return all;
    const { kept = [], expired = [] } = Object.groupBy(singleLines(chunks), (line) =>
      (timeOf(line) ?? endNs) < endNs ? 'expired' : 'kept',
    );
    return { kept, expired };
  }

  close(): void {
    this.#clients?.close();
  }

  async #keptFrom(clients: LedgerClients): Promise<number> {
    const now = this.#now();
    if (this.#kept === undefined || this.#kept.readMs + KEEP_MS <= now) {
      const fromMs = await this.#read(clients, now);
      this.#kept = { fromMs, readMs: now };
    }
    return this.#kept.fromMs;
  }

  async #read(clients: LedgerClients, nowMs: number): Promise<number> {
    try {
      return (await presentKeptCalls(clients, nowMs))?.fromMs ?? 0;
    } catch (error) {
      if (!(error instanceof TokenMeterError)) throw error;
    }
    try {
      // A token that may not read the calls, or too many of them: what was written down before.
      return (await storedKeptCalls(clients, nowMs))?.fromMs ?? 0;
    } catch (error) {
      // A token that may only write: such a call changes no sum, and views say that they lack it.
      if (error instanceof TokenMeterError && error.code === 'BACKEND_REFUSED') return 0;
      throw error;
    }
  }
}
