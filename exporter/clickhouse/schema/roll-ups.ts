import { LOG_RATIO, SMALLEST } from '../../ledger/queries/quantile-sketch.ts';

/**
 * Sums of the calls of one UTC hour or day by some of their dimensions. The server makes a cell once its calls have
 * rested for `QUIET_MINUTES`, and again after a change; until then the calls themselves answer.
 */
export interface RollUp {
  /** In the table of cells. */
  readonly name: string;
  readonly table: string;
  readonly unit: 'hour' | 'day';
  /** Columns of the ledger. */
  readonly keys: readonly string[];
  /** Whether it has sketches of durations. */
  readonly hasSketches: boolean;
}

export const ROLL_UPS: readonly RollUp[] = [
  {
    name: 'hourly',
    table: 'llm_usage_hourly',
    unit: 'hour',
    keys: ['service', 'provider', 'model', 'outcome', 'team', 'dimensions'],
    hasSketches: true,
  },
  {
    name: 'users',
    table: 'llm_usage_daily_users',
    unit: 'day',
    keys: ['user', 'team', 'outcome'],
    hasSketches: false,
  },
  {
    name: 'conversations',
    table: 'llm_usage_daily_conversations',
    unit: 'day',
    keys: ['conversation', 'user', 'outcome'],
    hasSketches: false,
  },
];

/** When each cell was changed last, and made last. */
export const CELLS = 'llm_usage_cells';

/**
 * Longer than any insert takes, and than clocks of replicas differ: a cell counts as made from all of its calls only
 * if the last insert into it began this long before.
 */
export const QUIET_MINUTES = 10;
/** A cell that is due for so long, and still has no sums, has no calls: longer than a statement takes. */
export const EMPTY_MINUTES: number = QUIET_MINUTES + 30;
/** A cell's mark may be seen before its sums are: a fresh one is not used. */
export const SETTLE_SECONDS = 10;
/** Between looks for cells that are due. */
export const REFRESH_MINUTES = 5;
/** Cells made at once: a ledger that existed before is rolled up in several steps. */
export const MAX_CELLS = 5000;

export const cellOf = (unit: RollUp['unit'], time = 'time'): string =>
  `${unit === 'hour' ? 'toStartOfHour' : 'toStartOfDay'}(toDateTime(${time}, 'UTC'))`;

/** Bin of the percentile sketch, as `binOf` has it. */
export const binOfColumn = (column: string): string =>
  `toInt32(floor(log(greatest(${column}, ${SMALLEST})) / ${LOG_RATIO}))`;

export interface Sketch {
  readonly column: 'duration_bins' | 'first_chunk_bins';
  readonly value: string;
  /** Condition. */
  readonly known: string;
}

/** Sketches over calls that have the value: a result of a batch took a time that nobody knows. */
export const SKETCHES: readonly Sketch[] = [
  { column: 'duration_bins', value: 'duration_ms', known: 'duration_ms > 0' },
  {
    column: 'first_chunk_bins',
    value: 'assumeNotNull(time_to_first_chunk_ms)',
    known: 'isNotNull(time_to_first_chunk_ms)',
  },
];
