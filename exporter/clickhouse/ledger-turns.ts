import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenMeterError } from '../../src/errors.ts';
import type { ClickHouseSession } from './clickhouse-session.ts';
import { MISSING_TABLE } from './exception.ts';
import { CELLS } from './schema/roll-ups.ts';

type Kind = 'erasing' | 'repricing';

/** What a killed erasure holds is free after this; one that runs prolongs it. */
const ERASING_MS = 30_000;
const PROLONG_EVERY_MS = 10_000;
/** What a gateway may still pass on to the server after the client gave up waiting for it. */
const LATE_MS = 15_000;
const POLL_MS = 50;
const MOST_PAUSE_MS = 500;

/**
 * Erases while no other erasure of this ledger runs, in whichever process, and no new costs are on their way: all of
 * them write what they have made of rows that they read before. Rejects as `work` does.
 */
export async function whileErasing<T>(
  session: ClickHouseSession,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const turn = new Turn(session, 'erasing', ERASING_MS);
  return await turn.during(async () => {
    for (;;) {
      await turn.take(signal);
      const others = await turn.others(signal);
      if (others.size === 0) break;
      // New costs wait for an erasure that waits; of two erasures both step back.
      if (others.has('erasing')) {
        await turn.giveBack();
        await sleep(Math.random() * MOST_PAUSE_MS, undefined, { signal });
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    let prolonged = Promise.resolve();
    const timer = setInterval(() => {
      prolonged = turn.take().catch(() => {});
    }, PROLONG_EVERY_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await prolonged;
    }
  });
}

/**
 * Reprices with `work`, which calls `nextTurn` before each reading and writing of a batch: between the two nothing is
 * erased. `timeoutMs`: of a request. Rejects as `work` does.
 */
export async function whileRepricing<T>(
  session: ClickHouseSession,
  timeoutMs: number,
  work: (nextTurn: () => Promise<void>) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const turn = new Turn(session, 'repricing', 2 * timeoutMs + LATE_MS);
  const nextTurn = async (): Promise<void> => {
    for (;;) {
      await turn.take(signal);
      if (!(await turn.others(signal)).has('erasing')) return;
      await turn.giveBack();
      do await sleep(POLL_MS, undefined, { signal });
      while ((await turn.others(signal)).has('erasing'));
    }
  };
  return await turn.during(
    async () =>
      await work(async () => {
        // Nothing can be erased from a ledger that was made without this table.
        await nextTurn().catch((error: unknown) => {
          if (!isMissingTable(error)) throw error;
        });
      }),
  );
}

/**
 * In the table of cells, a row for each process that changes the ledger: until when it does at the latest, by the clock
 * of the server, as `changed`, and the same as `made` once it has done so.
 */
class Turn {
  readonly #session: ClickHouseSession;
  readonly #kind: Kind;
  readonly #leaseMs: number;
  readonly #id: string = randomUUID();

  constructor(session: ClickHouseSession, kind: Kind, leaseMs: number) {
    this.#session = session;
    this.#kind = kind;
    this.#leaseMs = leaseMs;
  }

  /** Once more: prolongs it. */
  async take(signal?: AbortSignal): Promise<void> {
    const until = `now64(3, 'UTC') + toIntervalMillisecond({lease:UInt32})`;
    await this.#insert(`${until}, toDateTime64(0, 3, 'UTC')`, signal);
  }

  async giveBack(): Promise<void> {
    const until = `(SELECT max(changed) FROM ${CELLS} WHERE roll_up = {kind:String} AND shard = {id:String})`;
    await this.#insert(`toDateTime64(0, 3, 'UTC'), ${until}`);
  }

  /** Kinds of those who have a turn. */
  async others(signal?: AbortSignal): Promise<ReadonlySet<Kind>> {
    const text = `SELECT roll_up, shard FROM ${CELLS}
      WHERE roll_up IN ('erasing', 'repricing') AND shard != {id:String}
      GROUP BY roll_up, shard HAVING max(changed) > max(made) AND max(changed) > now64(3, 'UTC')`;
    const rows = await this.#session.rows({ text, values: { id: this.#id } }, { signal });
    return new Set(rows.map((row) => row['roll_up'] as Kind));
  }

  /** After a failure it runs out by itself, unless the server said so: it may still be at work. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let isOver = true;
    try {
      return await work();
    } catch (error) {
      isOver = error instanceof TokenMeterError && error.code === 'BACKEND_REFUSED';
      throw error;
    } finally {
      if (isOver) await this.giveBack().catch(() => {});
    }
  }

  async #insert(times: string, signal?: AbortSignal): Promise<void> {
    await this.#session.command(
      {
        text: `INSERT INTO ${CELLS} (roll_up, shard, cell, changed, made)
          SELECT {kind:String}, {id:String}, toDateTime(0, 'UTC'), ${times}`,
        values: { kind: this.#kind, id: this.#id, lease: this.#leaseMs },
      },
      { signal, settings: { insert_distributed_sync: 1 } },
    );
  }
}

const isMissingTable = (error: unknown): boolean =>
  error instanceof TokenMeterError && MISSING_TABLE.has(Number(error.value));
