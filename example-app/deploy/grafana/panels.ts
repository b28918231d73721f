/**
 * Panels of the Grafana dashboards. `influxql.ts` and `sql.ts` generate queries, `dashboard.ts` the
 * two dashboards. Tests compare every name with the data that the exporter writes.
 */

/** A value over a set of calls: a sum of fields, a quotient of sums, or a percentile. */
export type Measure =
  | { readonly kind: 'sum'; readonly field: string; readonly label: string }
  | {
      readonly kind: 'ratio';
      readonly field: string;
      readonly per: string;
      readonly scale?: number;
      readonly label: string;
    }
  | {
      readonly kind: 'percentile';
      readonly field: string;
      readonly p: number;
      readonly label: string;
    };

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly row: string;
  readonly type: 'stat' | 'timeseries' | 'barchart' | 'table';
  /** Unit id in Grafana. */
  readonly unit: string;
  readonly measurement: string;
  readonly measures: readonly Measure[];
  /** Tags that identify a series or a table row. */
  readonly by?: readonly string[];
  /** Field to group by. Only SQL supports this, so the InfluxQL dashboard omits the panel. */
  readonly byField?: string;
  /** Filter by tag values. */
  readonly where?: Readonly<Record<string, string>>;
  /** Text field that must have a value. */
  readonly wherePresent?: string;
  readonly stack?: boolean;
  /** Rows of a table, largest first measure first. */
  readonly limit?: number;
  /** Width in 24ths. */
  readonly width: number;
}

const sum = (field: string, label: string): Measure => ({ kind: 'sum', field, label });
const percentile = (field: string, p: number): Measure => ({
  kind: 'percentile',
  field,
  p,
  label: `p${p}`,
});

const LEDGER = { measurement: 'llm_usage' };
const AT_LEAST =
  'The cost is at least what is shown if calls have parts without a price (cost_missing): "Cost is at least" counts them.';
const overview = (title: string, unit: string, measure: Measure): Panel => ({
  ...LEDGER,
  title,
  row: 'Overview',
  type: 'stat',
  unit,
  measures: [measure],
  width: 3,
});
const series = (
  row: string,
  title: string,
  unit: string,
  rest: Pick<Panel, 'measures'> & Partial<Panel>,
): Panel => ({
  ...LEDGER,
  title,
  row,
  type: 'timeseries',
  unit,
  width: 12,
  ...rest,
});
const exporterPanel = (
  title: string,
  name: string,
  unit: string,
  by?: readonly string[],
): Panel => ({
  title,
  row: 'Exporter',
  type: 'timeseries',
  unit,
  measurement: `token_meter_exporter_${name}`,
  measures: [sum('value', name)],
  ...(by && { by }),
  width: 8,
});

export const panels: readonly Panel[] = [
  overview('Calls', 'short', sum('calls', 'calls')),
  overview('Total tokens', 'short', sum('total_tokens', 'tokens')),
  {
    ...overview('Cost', 'currencyUSD', sum('cost_usd', 'cost')),
    description: `Without calls that have no price. ${AT_LEAST}`,
  },
  {
    ...overview('Cost is at least', 'short', sum('calls', 'calls with a partial cost')),
    wherePresent: 'cost_missing',
    description: AT_LEAST,
    width: 6,
  },
  overview('Cache share of input', 'percentunit', {
    kind: 'ratio',
    field: 'cache_read_tokens',
    per: 'input_tokens',
    label: 'cached',
  }),
  overview('Latency p95', 'ms', percentile('duration_ms', 95)),
  {
    ...overview('Failed calls', 'short', sum('calls', 'errors')),
    where: { outcome: 'error' },
    description: 'Calls that ended with an error, excluding aborted calls.',
  },

  series('Tokens', 'Tokens by kind', 'short', {
    measures: [sum('input_tokens', 'input'), sum('output_tokens', 'output')],
    stack: true,
  }),
  series('Tokens', 'Tokens by model', 'short', {
    measures: [sum('total_tokens', 'tokens')],
    by: ['model'],
    stack: true,
  }),
  series('Tokens', 'Subsets: cached, cache written, reasoning', 'short', {
    measures: [
      sum('cache_read_tokens', 'cache read'),
      sum('cache_write_tokens', 'cache write'),
      sum('reasoning_tokens', 'reasoning'),
    ],
    description: 'Cached tokens are part of the input, reasoning tokens part of the output.',
  }),
  series('Tokens', 'Tokens a call', 'short', {
    measures: [
      { kind: 'ratio', field: 'input_tokens', per: 'calls', label: 'input' },
      { kind: 'ratio', field: 'output_tokens', per: 'calls', label: 'output' },
    ],
  }),
  series('Tokens', 'Cost by model', 'currencyUSD', {
    measures: [sum('cost_usd', 'cost')],
    by: ['model'],
    stack: true,
    description: AT_LEAST,
  }),
  series('Tokens', 'Calls by token source', 'short', {
    measures: [sum('calls', 'calls')],
    by: ['token_source'],
    stack: true,
    description: 'provider: as reported. counted: exact tokenizer. estimated: anything less.',
  }),

  {
    ...LEDGER,
    title: 'Top users',
    row: 'Who',
    type: 'table',
    unit: 'short',
    measures: [
      sum('total_tokens', 'tokens'),
      sum('calls', 'calls'),
      sum('input_tokens', 'input'),
      sum('output_tokens', 'output'),
      sum('cost_usd', 'cost USD'),
    ],
    by: ['user_id'],
    limit: 20,
    description: AT_LEAST,
    width: 12,
  },
  {
    ...LEDGER,
    title: 'User × model',
    row: 'Who',
    type: 'table',
    unit: 'short',
    measures: [sum('total_tokens', 'tokens'), sum('calls', 'calls')],
    by: ['user_id', 'model'],
    limit: 50,
    width: 12,
  },
  {
    ...LEDGER,
    title: 'Top conversations',
    row: 'Who',
    type: 'table',
    unit: 'short',
    measures: [sum('total_tokens', 'tokens'), sum('calls', 'calls')],
    byField: 'conversation_id',
    limit: 20,
    width: 12,
  },
  {
    ...LEDGER,
    title: 'Tokens by service',
    row: 'Who',
    type: 'barchart',
    unit: 'short',
    measures: [sum('total_tokens', 'tokens')],
    by: ['service', 'environment'],
    limit: 20,
    width: 12,
  },

  series('Speed and faults', 'Latency', 'ms', {
    measures: [
      percentile('duration_ms', 50),
      percentile('duration_ms', 95),
      percentile('duration_ms', 99),
    ],
  }),
  series('Speed and faults', 'Latency p95 by model', 'ms', {
    measures: [percentile('duration_ms', 95)],
    by: ['model'],
  }),
  series('Speed and faults', 'Time to first chunk', 'ms', {
    measures: [percentile('time_to_first_chunk_ms', 50), percentile('time_to_first_chunk_ms', 95)],
  }),
  series('Speed and faults', 'Output tokens a second', 'short', {
    measures: [
      { kind: 'ratio', field: 'output_tokens', per: 'duration_ms', scale: 1000, label: 'tokens/s' },
    ],
    by: ['model'],
  }),
  series('Speed and faults', 'Calls by outcome', 'short', {
    measures: [sum('calls', 'calls')],
    by: ['outcome'],
    stack: true,
  }),
  series('Speed and faults', 'Failed calls by provider and operation', 'short', {
    measures: [sum('calls', 'errors')],
    by: ['provider', 'operation'],
    where: { outcome: 'error' },
  }),

  exporterPanel('Records accepted', 'accepted', 'short'),
  exporterPanel('Records delivered', 'delivered', 'short'),
  exporterPanel('Records dropped (must be 0)', 'dropped', 'short', ['reason']),
];
