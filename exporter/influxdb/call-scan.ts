import { USAGE_FIELDS } from '../lines/usage-schema.ts';
import type { Key } from '../queries/cells.ts';
import type { CheckedQuery, Dimension } from '../queries/checked-query.ts';
import type { UsageSums } from '../queries/usage-sums.ts';
import { conditions, LEDGER, name, TAG_OF, timeRange } from './influxql.ts';
import type { InfluxSeries, InfluxValue } from './query-client.ts';

/** One call as far as sums and keys need it. */
export interface ScannedCall {
  readonly key: Key;
  readonly timeMs: number;
  readonly sums: Partial<UsageSums>;
  readonly durationMs: number;
  readonly firstChunkMs: number | undefined;
}

const SUMMED = [
  USAGE_FIELDS.inputTokens,
  USAGE_FIELDS.outputTokens,
  USAGE_FIELDS.totalTokens,
  USAGE_FIELDS.cacheReadTokens,
  USAGE_FIELDS.cacheWriteTokens,
  USAGE_FIELDS.reasoningTokens,
  USAGE_FIELDS.costUsd,
];

/** Keys that are read from a field: the user too, since the tag of many may be `(other)`. */
const FIELD_OF: Readonly<Partial<Record<Dimension, string>>> = {
  user: USAGE_FIELDS.user,
  conversation: USAGE_FIELDS.conversationId,
};

/** Every single call of a range, for what InfluxQL cannot group by. */
export class CallScan {
  readonly #query: CheckedQuery;
  readonly #fields: readonly string[];
  readonly #tags: readonly string[];

  /** @param withSums false reads the durations only. */
  constructor(query: CheckedQuery, withSums: boolean) {
    this.#query = query;
    const dimensions = [...query.dimensions, ...query.filters.map(({ dimension }) => dimension)];
    this.#fields = [
      ...new Set([
        USAGE_FIELDS.calls,
        USAGE_FIELDS.durationMs,
        USAGE_FIELDS.timeToFirstChunkMs,
        ...(withSums ? SUMMED : []),
        ...dimensions.flatMap((dimension) => FIELD_OF[dimension] ?? []),
      ]),
    ];
    const tags = query.dimensions.filter((dimension) => FIELD_OF[dimension] === undefined);
    this.#tags = [
      ...new Set([...tags.map((one) => TAG_OF[one] ?? one), 'outcome', 'token_source']),
    ];
  }

  statement(fromMs: number, toMs: number, also = ''): string {
    const range = timeRange(fromMs, toMs) + conditions(this.#query.filters) + also;
    const groups = this.#tags.map(name).join(', ');
    return `SELECT ${this.#fields.map(name).join(', ')} FROM ${LEDGER} WHERE ${range} GROUP BY ${groups}`;
  }

  *calls({ tags, columns, values }: InfluxSeries): Generator<ScannedCall> {
    const places = new Map(columns.map((column, place) => [column, place]));
    const at = (row: readonly InfluxValue[], column: string): InfluxValue =>
      row[places.get(column) ?? -1] ?? null;
    const source = tags['token_source'] ?? '';
    const isCounted = source !== '';
    for (const row of values) {
      if (!this.#isWanted((column) => at(row, column))) continue;
      const number = (column: string): number | null => {
        const value = at(row, column);
        return typeof value === 'number' ? value : null;
      };
      const durationMs = number(USAGE_FIELDS.durationMs) ?? 0;
      const firstChunkMs = number(USAGE_FIELDS.timeToFirstChunkMs) ?? undefined;
      const costUsd = number(USAGE_FIELDS.costUsd);
      const outputTokens = number(USAGE_FIELDS.outputTokens);
      yield {
        key: this.#query.dimensions.map((dimension) => {
          const field = FIELD_OF[dimension];
          const value = field === undefined ? tags[TAG_OF[dimension] ?? dimension] : at(row, field);
          return typeof value === 'string' ? value : null;
        }),
        timeMs: Number(at(row, 'time')),
        durationMs,
        firstChunkMs,
        sums: {
          calls: 1,
          errors: Number(tags['outcome'] === 'error'),
          aborted: Number(tags['outcome'] === 'aborted'),
          countedCalls: Number(isCounted),
          estimatedCalls: Number(source === 'estimated'),
          unpricedCalls: Number(isCounted && costUsd === null),
          inputTokens: number(USAGE_FIELDS.inputTokens),
          outputTokens,
          totalTokens: number(USAGE_FIELDS.totalTokens),
          cacheReadTokens: number(USAGE_FIELDS.cacheReadTokens),
          cacheWriteTokens: number(USAGE_FIELDS.cacheWriteTokens),
          reasoningTokens: number(USAGE_FIELDS.reasoningTokens),
          costNanos: costUsd === null ? null : Math.round(costUsd * 1e9),
          durationMs,
          outputDurationMs: outputTokens === null ? 0 : durationMs,
          firstChunkMs: firstChunkMs ?? 0,
          firstChunkCalls: Number(firstChunkMs !== undefined),
        },
      };
    }
  }

  /** What InfluxQL cannot ask: whether a field is absent. */
  #isWanted(at: (column: string) => InfluxValue): boolean {
    return this.#query.filters.every(({ dimension, values }) => {
      if (dimension !== 'conversation') return true;
      const value = at(USAGE_FIELDS.conversationId);
      return values.includes(typeof value === 'string' ? value : null);
    });
  }
}
