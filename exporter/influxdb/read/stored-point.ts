import type {
  CostSource,
  Outcome,
  TokenSource,
  UsageAttributeValue,
  UsageRecord,
} from '../../../src/domain/usage-record.ts';
import { attributeOfField, USAGE_FIELDS } from '../usage-schema.ts';
import type { InfluxValue } from './query-client.ts';

/** One row of `SELECT *` back to the record that was written; `time` is RFC 3339. */
export function recordOfRow(
  columns: readonly string[],
  row: readonly InfluxValue[],
  tagNames: ReadonlySet<string>,
): UsageRecord {
  const values = new Map<string, Exclude<InfluxValue, null>>();
  for (const [place, column] of columns.entries()) {
    const value = row[place] ?? null;
    // A tag that a series does not have reads ''.
    if (value !== null && !(value === '' && tagNames.has(column))) values.set(column, value);
  }
  const text = (column: string): string | undefined => {
    const value = values.get(column);
    return value === undefined ? undefined : String(value);
  };
  const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
    value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
  const number = (column: string): number | undefined => {
    const value = values.get(column);
    return typeof value === 'number' ? value : undefined;
  };
  return {
    id: text(USAGE_FIELDS.recordId) ?? '',
    time: nineDigits(text('time') ?? ''),
    service: text('service') ?? 'unknown_service',
    operation: text('operation') ?? 'chat',
    provider: text('provider') ?? 'unknown',
    requestModel: text(USAGE_FIELDS.requestModel) ?? text('model') ?? 'unknown',
    ...given('responseModel', text(USAGE_FIELDS.responseModel)),
    ...given('responseId', text(USAGE_FIELDS.responseId)),
    ...given('userId', text(USAGE_FIELDS.user)),
    ...given('conversationId', text(USAGE_FIELDS.conversationId)),
    durationMs: number(USAGE_FIELDS.durationMs) ?? 0,
    ...given('timeToFirstChunkMs', number(USAGE_FIELDS.timeToFirstChunkMs)),
    ...given('inputTokens', number(USAGE_FIELDS.inputTokens)),
    ...given('outputTokens', number(USAGE_FIELDS.outputTokens)),
    ...given('totalTokens', number(USAGE_FIELDS.totalTokens)),
    ...given('cacheReadTokens', number(USAGE_FIELDS.cacheReadTokens)),
    ...given('cacheWriteTokens', number(USAGE_FIELDS.cacheWriteTokens)),
    ...given('reasoningTokens', number(USAGE_FIELDS.reasoningTokens)),
    ...given('tokenSource', text('token_source') as TokenSource | undefined),
    outcome: (text('outcome') ?? 'ok') as Outcome,
    ...given('errorType', text(USAGE_FIELDS.errorType)),
    ...given('costUsd', number(USAGE_FIELDS.costUsd)),
    ...given('costSource', text(USAGE_FIELDS.costSource) as CostSource | undefined),
    ...given('costMissing', text(USAGE_FIELDS.costMissing)?.split(' ')),
    ...given('serviceTier', text(USAGE_FIELDS.serviceTier)),
    attributes: attributesOf(values, tagNames),
    ...given('traceId', text(USAGE_FIELDS.traceId)),
    ...given('spanId', text(USAGE_FIELDS.spanId)),
  };
}

function attributesOf(
  values: ReadonlyMap<string, UsageAttributeValue>,
  tagNames: ReadonlySet<string>,
): Record<string, UsageAttributeValue> {
  const attributes: Record<string, UsageAttributeValue> = {};
  for (const [column, value] of values) {
    if (tagNames.has(column)) continue;
    const name = attributeOfField(column, tagNames);
    if (name !== undefined) attributes[name] = value;
  }
  return attributes;
}

/** Servers leave out zeros at the end. */
function nineDigits(time: string): string {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}Z`;
}
