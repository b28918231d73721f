import type { ClickHouseSettings } from '@clickhouse/client';
import { TokenMeterError } from '../../../src/errors.ts';
import { type Cells, TooManyKeys } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { ClickHouseSession, Columns, Sql } from '../clickhouse-session.ts';
import { TOO_MANY_ROWS } from '../exception.ts';
import type { CallParts, RollUpPlan } from './roll-up-plan.ts';
import { addAnswer, type Asked, sumsStatement } from './sums-statement.ts';

/** Dimensions that may have many values: beyond `MAX_CROWD` of them the server ranks them first. */
const CROWDED: ReadonlySet<string> = new Set(['user', 'conversation', 'run']);
/** Rows that cost less to be sent once, and kept, than to be ranked for each question. */
export const MAX_CROWD = 60_000;
const SETTINGS = {
  use_skip_indexes_if_final: 1,
  do_not_merge_across_partitions_select_final: 1,
} as const;

export function isCrowd({ dimensions }: CheckedQuery, { named }: Cells): boolean {
  return named === undefined && dimensions.some((name) => CROWDED.has(name));
}

/** The statements of one summary. */
export class SumsReader {
  readonly #session: ClickHouseSession;
  readonly #signal: AbortSignal | undefined;

  constructor(session: ClickHouseSession, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#signal = signal;
  }

  async ask(
    statement: Sql,
    signal: AbortSignal | undefined = this.#signal,
    settings: ClickHouseSettings = {},
  ): Promise<Columns> {
    const all = { ...SETTINGS, ...settings };
    return await this.#session.columns(statement, { signal, settings: all });
  }

  /** Adds the cells of the question. Rejects with `TooManyKeys`. */
  async add(
    query: CheckedQuery,
    cells: Cells,
    plan: RollUpPlan | CallParts | undefined,
    asked: Asked = 'sums',
    signal: AbortSignal | undefined = this.#signal,
  ): Promise<void> {
    const isCrowded = isCrowd(query, cells);
    const bound: ClickHouseSettings = isCrowded
      ? { max_rows_to_group_by: `${MAX_CROWD}`, group_by_overflow_mode: 'throw' }
      : {};
    const statement = sumsStatement(query, cells, plan, asked);
    const answer = await this.ask(statement, signal, bound).catch((error: unknown) => {
      const isOverflow = error instanceof TokenMeterError && error.value === TOO_MANY_ROWS;
      throw isCrowded && isOverflow ? new TooManyKeys() : error;
    });
    addAnswer(query, cells, answer, asked);
  }
}
