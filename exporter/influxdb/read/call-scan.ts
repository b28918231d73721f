import { exactFieldOf, USAGE_FIELDS } from '../usage-schema.ts';
import { isAmount } from '../../../src/domain/billed-usage.ts';
import type { Key } from '../../ledger/queries/key.ts';
import type { CheckedQuery, Dimension } from '../../ledger/queries/checked-query.ts';
import type { UsageSums } from '../../ledger/queries/usage-sums.ts';
import {
  boundedTagOf,
  type BoundValues,
  conditions,
  fieldOf,
  LEDGER,
  name,
  timeRange,
  UNIT_COLUMNS,
  UNIT_FIELDS,
  untellable,
} from './influxql.ts';
import type { InfluxSeries } from './query-client.ts';

/** One call as far as sums and keys need it. */
export interface ScannedCall {
  readonly key: Key;
  readonly timeMs: number;
  readonly sums: UsageSums;
}

/**
 * Where a dimension is read, the first that has a value: the user's tag may be `(other)`, the field is always the id;
 * a model that its tag cannot hold is a field as well.
 */
const COLUMNS_OF: Readonly<Record<string, readonly string[]>> = {
  user: [USAGE_FIELDS.user],
  model: [USAGE_FIELDS.requestModel, 'model'],
  provider: ['provider'],
  outcome: ['outcome'],
  service: ['service'],
} satisfies Readonly<Partial<Record<Dimension, readonly string[]>>>;

function columnsOf(dimension: Dimension): readonly string[] {
  const field = fieldOf(dimension);
  if (field !== undefined) return [field];
  const tag = boundedTagOf(dimension);
  return tag === undefined ? (COLUMNS_OF[dimension] ?? []) : [exactFieldOf(tag), tag];
}

/** Every call tells the first two; the others may be unknown. */
const NUMBERS = [
  USAGE_FIELDS.calls,
  USAGE_FIELDS.durationMs,
  USAGE_FIELDS.inputTokens,
  USAGE_FIELDS.outputTokens,
  USAGE_FIELDS.totalTokens,
  USAGE_FIELDS.cacheReadTokens,
  USAGE_FIELDS.cacheWriteTokens,
  USAGE_FIELDS.reasoningTokens,
  USAGE_FIELDS.costUsd,
  USAGE_FIELDS.timeToFirstChunkMs,
] as const;

/**
 * The calls of a query, one by one. Sums made by the server would cost it one pass over all series
 * for each of them, and user tags make many series: a single pass is several times faster, knows
 * the fields that InfluxQL cannot group by, and adds costs in whole nano-dollars.
 */
export class CallScan {
  readonly #query: CheckedQuery;
  readonly #columns: readonly string[];

  constructor(query: CheckedQuery) {
    this.#query = query;
    const dimensions = [...query.dimensions, ...query.filters.map(({ dimension }) => dimension)];
    this.#columns = [
      ...new Set([
        ...NUMBERS,
        USAGE_FIELDS.costMissing,
        'outcome',
        'token_source',
        ...dimensions.flatMap((dimension) => columnsOf(dimension)),
      ]),
    ];
  }

  statement(fromMs: number, toMs: number, bound: BoundValues): string {
    const where = timeRange(fromMs, toMs) + conditions(this.#query.filters, bound);
    return `SELECT ${this.#columns.map(name).join(', ')}, ${UNIT_COLUMNS} FROM ${LEDGER} WHERE ${where}`;
  }

  *calls({ columns, values }: InfluxSeries): Generator<ScannedCall> {
    const place = (column: string): number => columns.indexOf(column);
    const [calls, duration, input, output, total, read, write, reasoning, cost, chunk] =
      NUMBERS.map(place) as [number, ...number[]];
    const [outcome, source, time] = [place('outcome'), place('token_source'), place('time')];
    const missing = place(USAGE_FIELDS.costMissing);
    const units = columns.flatMap((column, at) => {
      const unit = UNIT_FIELDS.get(column);
      return unit === undefined ? [] : [{ unit, at }];
    });
    const keys = this.#query.dimensions.map((dimension) => columnsOf(dimension).map(place));
    const untold = untellable(this.#query.filters).map(
      ({ dimension, values: wanted }) =>
        [place(fieldOf(dimension) ?? ''), new Set(wanted)] as const,
    );
    for (const row of values) {
      const number = (at = -1): number | null => {
        const value = row[at];
        return typeof value === 'number' ? value : null;
      };
      // A tag that a series does not have is '' or null.
      const text = (at: number): string | null => {
        const value = row[at];
        return typeof value === 'string' && value !== '' ? value : null;
      };
      if (number(calls) === null || !untold.every(([at, wanted]) => wanted.has(text(at)))) continue;
      const [durationMs, firstChunkMs] = [number(duration) ?? 0, number(chunk)];
      const [outputTokens, costUsd] = [number(output), number(cost)];
      const isCounted = text(source) !== null;
      const sums: UsageSums = {
        calls: 1,
        errors: Number(row[outcome] === 'error'),
        aborted: Number(row[outcome] === 'aborted'),
        blocked: Number(row[outcome] === 'blocked'),
        countedCalls: Number(isCounted),
        estimatedCalls: Number(row[source] === 'estimated'),
        unpricedCalls: Number(isCounted && costUsd === null),
        partialCostCalls: Number(text(missing) !== null),
        inputTokens: number(input),
        outputTokens,
        totalTokens: number(total),
        cacheReadTokens: number(read),
        cacheWriteTokens: number(write),
        reasoningTokens: number(reasoning),
        costNanos: costUsd === null ? null : Math.round(costUsd * 1e9),
        durationMs,
        outputDurationMs: outputTokens === null ? 0 : durationMs,
        firstChunkMs: firstChunkMs ?? 0,
        firstChunkCalls: Number(firstChunkMs !== null),
      };
      for (const { unit, at } of units) {
        const amount = number(at);
        if (isAmount(amount)) sums[unit] = amount;
      }
      yield {
        key: keys.map((places) => places.reduce<string | null>((key, at) => key ?? text(at), null)),
        timeMs: Number(row[time]),
        sums,
      };
    }
  }
}
