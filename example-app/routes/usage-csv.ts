import { CSV_BYTE_ORDER_MARK, csvLine, usageJson, withUnits } from 'otel-token-meter/exporter';
import type { PriceSource } from 'otel-token-meter';
import type { UsagePage, UsageReader, UsageRecordsQuery } from 'otel-token-meter/exporter';

type UsageRecord = UsagePage['records'][number];

/** Columns of the file, in their order. */
const COLUMNS: readonly (readonly [
  name: string,
  key: Exclude<keyof UsageRecord, 'attributes' | 'dimensions' | 'steps'>,
])[] = [
  ['time', 'time'],
  ['id', 'id'],
  ['service', 'service'],
  ['operation', 'operation'],
  ['provider', 'provider'],
  ['request_model', 'requestModel'],
  ['response_model', 'responseModel'],
  ['user_id', 'userId'],
  ['conversation_id', 'conversationId'],
  ['team', 'team'],
  ['agent_name', 'agentName'],
  ['run_id', 'runId'],
  ['tool_name', 'toolName'],
  ['outcome', 'outcome'],
  ['error_type', 'errorType'],
  ['duration_ms', 'durationMs'],
  ['time_to_first_chunk_ms', 'timeToFirstChunkMs'],
  ['input_tokens', 'inputTokens'],
  ['output_tokens', 'outputTokens'],
  ['total_tokens', 'totalTokens'],
  ['cache_read_tokens', 'cacheReadTokens'],
  ['cache_write_tokens', 'cacheWriteTokens'],
  ['reasoning_tokens', 'reasoningTokens'],
  ['token_source', 'tokenSource'],
  ['cost_usd', 'costUsd'],
  ['cost_source', 'costSource'],
  ['cost_missing', 'costMissing'],
  ['service_tier', 'serviceTier'],
  ['response_id', 'responseId'],
  ['trace_id', 'traceId'],
  ['span_id', 'spanId'],
];

/** Currency of display, and its rate. */
export type Currency = NonNullable<PriceSource['currency']>;

/** Last columns, if costs are displayed in another currency than the US dollar. */
const CURRENCY_COLUMNS = ['cost', 'currency', 'usd_per_unit', 'rate_date'];

export interface CsvOptions {
  /** Each has a column. */
  readonly dimensions: readonly string[];
  readonly currency?: Currency | undefined;
}

function lineOf(record: UsageRecord, { dimensions, currency }: CsvOptions): string {
  return csvLine([
    ...COLUMNS.map(([, key]) => cellOf(record[key])),
    ...dimensions.map((name) => record.dimensions?.[name]),
    unitsOf(record),
    attributesOf(record),
    ...(currency ? currencyCells(record.costUsd, currency) : []),
  ]);
}

function currencyCells(
  costUsd: number | undefined,
  { code, usdPerUnit, date }: Currency,
): (string | number | undefined)[] {
  const cost = costUsd === undefined ? undefined : Math.round((costUsd / usdPerUnit) * 1e9) / 1e9;
  return [cost, code, usdPerUnit, date];
}

const cellOf = <T>(value: T | readonly string[]): T | string =>
  Array.isArray(value) ? value.join(' ') : (value as T);

function unitsOf(record: UsageRecord): string | undefined {
  const { units } = withUnits(record);
  return units && JSON.stringify(usageJson(units));
}

function attributesOf({ attributes }: UsageRecord): string | undefined {
  return Object.keys(attributes).length === 0 ? undefined : JSON.stringify(attributes);
}

/** The file a page at a time; the first page is already read. */
export async function* usageCsv(
  reader: Pick<UsageReader, 'records'>,
  start: { readonly query: UsageRecordsQuery; readonly page: UsagePage },
  options: CsvOptions,
): AsyncGenerator<string> {
  const columns = [
    ...COLUMNS.map(([name]) => name),
    ...options.dimensions.map((name) => `dimension.${name}`),
    'units',
    'attributes',
    ...(options.currency ? CURRENCY_COLUMNS : []),
  ];
  yield CSV_BYTE_ORDER_MARK + csvLine(columns);
  let { page } = start;
  for (;;) {
    yield page.records.map((record) => lineOf(record, options)).join('');
    if (page.cursor === undefined) return;
    page = await reader.records({ ...start.query, cursor: page.cursor });
  }
}
