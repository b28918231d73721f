import { UNIT_PREFIX } from '../../../src/domain/billed-usage.ts';

/** The ledger. Reading and writing name this table, whatever the layout of the server. */
export const LEDGER = 'llm_usage';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly codec?: string | undefined;
  /** Made from other columns by the server, whichever way a row comes; of rows from before the column too. */
  readonly madeFrom?: string;
}

const label = (name: string): Column => ({ name, type: 'LowCardinality(String)' });
const text = (name: string): Column => ({ name, type: 'String', codec: 'ZSTD(1)' });
const tokens = (name: string): Column => ({
  name,
  type: 'Nullable(UInt64)',
  codec: 'T64, ZSTD(1)',
});

/** `{'generated_images': 2}`: the attributes of what is not counted in tokens. */
const UNITS_OF_ATTRIBUTES = `if(position(attributes, '${UNIT_PREFIX}') = 0, [],
    arrayMap(x -> (substring(x.1, ${UNIT_PREFIX.length + 1}), x.2),
      arrayFilter(x -> startsWith(x.1, '${UNIT_PREFIX}') AND NOT endsWith(x.1, '_tokens') AND x.2 > 0 AND x.2 <= ${Number.MAX_SAFE_INTEGER},
        JSONExtractKeysAndValues(attributes, 'Float64'))))`;
const UNITS_TYPE = 'Map(String, Float64)';

/**
 * One row a call. An empty text is a value that the call does not have, since no value of a record is empty; unknown
 * numbers are NULL, never 0. `revision` decides between rows of one call: 0 as it was recorded, higher once it was
 * repriced, so that a late resend never takes a correction back.
 */
export const COLUMNS: readonly Column[] = [
  { name: 'time', type: "DateTime64(9, 'UTC')", codec: 'Delta, ZSTD(1)' },
  text('record_id'),
  label('service'),
  label('environment'),
  label('operation'),
  label('provider'),
  label('model'),
  label('response_model'),
  text('response_id'),
  text('user'),
  text('conversation'),
  label('team'),
  { name: 'dimensions', type: 'Map(LowCardinality(String), String)', codec: 'ZSTD(1)' },
  label('agent'),
  text('run_id'),
  label('tool'),
  text('steps'),
  { name: 'duration_ms', type: 'Float64', codec: 'ZSTD(1)' },
  { name: 'time_to_first_chunk_ms', type: 'Nullable(Float64)', codec: 'ZSTD(1)' },
  tokens('input_tokens'),
  tokens('output_tokens'),
  tokens('total_tokens'),
  tokens('cache_read_tokens'),
  tokens('cache_write_tokens'),
  tokens('reasoning_tokens'),
  label('token_source'),
  label('outcome'),
  label('error_type'),
  { name: 'cost_nanos', type: 'Nullable(Int64)', codec: 'T64, ZSTD(1)' },
  label('cost_source'),
  label('cost_missing'),
  label('service_tier'),
  text('attributes'),
  {
    name: 'units',
    type: UNITS_TYPE,
    codec: 'ZSTD(1)',
    madeFrom: `CAST(${UNITS_OF_ATTRIBUTES}, '${UNITS_TYPE}')`,
  },
  text('trace_id'),
  text('span_id'),
  { name: 'revision', type: 'UInt64', codec: 'T64, ZSTD(1)' },
];

export const definitionOf = ({ name, type, codec, madeFrom }: Column): string => {
  const made = madeFrom === undefined ? '' : ` MATERIALIZED ${madeFrom}`;
  return `${name} ${type}${made}${codec === undefined ? '' : ` CODEC(${codec})`}`;
};
