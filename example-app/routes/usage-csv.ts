import { CSV_BYTE_ORDER_MARK, csvLine } from 'otel-token-meter/exporter';
import type { UsagePage, UsageReader, UsageRecordsQuery } from 'otel-token-meter/exporter';

type UsageRecord = UsagePage['records'][number];

/** Columns of the file, in their order. */
const COLUMNS: readonly (readonly [name: string, key: Exclude<keyof UsageRecord, 'attributes'>])[] =
  [
    ['time', 'time'],
    ['id', 'id'],
    ['service', 'service'],
    ['operation', 'operation'],
    ['provider', 'provider'],
    ['request_model', 'requestModel'],
    ['response_model', 'responseModel'],
    ['user_id', 'userId'],
    ['conversation_id', 'conversationId'],
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

const line = (record: UsageRecord): string =>
  csvLine([...COLUMNS.map(([, key]) => cellOf(record[key])), attributesOf(record)]);

const cellOf = <T>(value: T | readonly string[]): T | string =>
  Array.isArray(value) ? value.join(' ') : (value as T);

function attributesOf({ attributes }: UsageRecord): string | undefined {
  return Object.keys(attributes).length === 0 ? undefined : JSON.stringify(attributes);
}

/** The file a page at a time; the first page is already read. */
export async function* usageCsv(
  reader: Pick<UsageReader, 'records'>,
  query: UsageRecordsQuery,
  first: UsagePage,
): AsyncGenerator<string> {
  yield CSV_BYTE_ORDER_MARK + csvLine([...COLUMNS.map(([name]) => name), 'attributes']);
  let page = first;
  for (;;) {
    yield page.records.map(line).join('');
    if (page.cursor === undefined) return;
    page = await reader.records({ ...query, cursor: page.cursor });
  }
}
