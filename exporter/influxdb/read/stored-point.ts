import { stepsFrom } from '../../../src/domain/agent-step.ts';
import type {
  CostSource,
  Outcome,
  TokenSource,
  UsageAttributeValue,
  UsageRecord,
} from '../../../src/domain/usage-record.ts';
import {
  attributeOfField,
  dimensionOfTag,
  exactFieldOf,
  TEAM_TAG,
  USAGE_FIELDS,
} from '../usage-schema.ts';

/** A point as it is stored. A tag and a field may share a name: each process chooses its own tags. */
export interface StoredPoint {
  /** RFC 3339. */
  readonly time: string;
  /** Those that its series has. */
  readonly tags: ReadonlyMap<string, string>;
  /** Those that are not null. */
  readonly fields: ReadonlyMap<string, UsageAttributeValue>;
}

/** The record that was written as this point. */
export function recordOfPoint({ time, tags, fields }: StoredPoint): UsageRecord {
  const text = (field: string): string | undefined => {
    const value = fields.get(field);
    return value === undefined ? undefined : String(value);
  };
  const number = (field: string): number | undefined => {
    const value = fields.get(field);
    return typeof value === 'number' ? value : undefined;
  };
  const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
    value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
  return {
    id: text(USAGE_FIELDS.recordId) ?? '',
    time: nineDigits(time),
    service: tags.get('service') ?? 'unknown_service',
    operation: tags.get('operation') ?? 'chat',
    provider: tags.get('provider') ?? 'unknown',
    requestModel: text(USAGE_FIELDS.requestModel) ?? tags.get('model') ?? 'unknown',
    ...given('responseModel', text(USAGE_FIELDS.responseModel)),
    ...given('responseId', text(USAGE_FIELDS.responseId)),
    ...given('userId', text(USAGE_FIELDS.user)),
    ...given('team', text(exactFieldOf(TEAM_TAG)) ?? tags.get(TEAM_TAG)),
    ...given('dimensions', dimensionsOf(tags, text)),
    ...given('agentName', text(USAGE_FIELDS.agentName)),
    ...given('runId', text(USAGE_FIELDS.runId)),
    ...given('toolName', text(USAGE_FIELDS.toolName)),
    ...given('steps', stepsFrom(text(USAGE_FIELDS.steps))),
    ...given('conversationId', text(USAGE_FIELDS.conversationId)),
    durationMs: number(USAGE_FIELDS.durationMs) ?? 0,
    ...given('timeToFirstChunkMs', number(USAGE_FIELDS.timeToFirstChunkMs)),
    ...given('inputTokens', number(USAGE_FIELDS.inputTokens)),
    ...given('outputTokens', number(USAGE_FIELDS.outputTokens)),
    ...given('totalTokens', number(USAGE_FIELDS.totalTokens)),
    ...given('cacheReadTokens', number(USAGE_FIELDS.cacheReadTokens)),
    ...given('cacheWriteTokens', number(USAGE_FIELDS.cacheWriteTokens)),
    ...given('reasoningTokens', number(USAGE_FIELDS.reasoningTokens)),
    ...given('tokenSource', tags.get('token_source') as TokenSource | undefined),
    outcome: (tags.get('outcome') ?? 'ok') as Outcome,
    ...given('errorType', text(USAGE_FIELDS.errorType)),
    ...given('costUsd', number(USAGE_FIELDS.costUsd)),
    ...given('costSource', text(USAGE_FIELDS.costSource) as CostSource | undefined),
    // Repricing writes an empty text over what is no longer missing.
    ...given('costMissing', (text(USAGE_FIELDS.costMissing) || undefined)?.split(' ')),
    ...given('serviceTier', text(USAGE_FIELDS.serviceTier)),
    attributes: attributesOf(fields, tags),
    ...given('traceId', text(USAGE_FIELDS.traceId)),
    ...given('spanId', text(USAGE_FIELDS.spanId)),
  };
}

function dimensionsOf(
  tags: StoredPoint['tags'],
  textOf: (field: string) => string | undefined,
): UsageRecord['dimensions'] {
  let dimensions: Record<string, string> | undefined;
  for (const [tag, value] of tags) {
    const name = dimensionOfTag(tag);
    if (name !== undefined) (dimensions ??= {})[name] = textOf(exactFieldOf(tag)) ?? value;
  }
  return dimensions;
}

function attributesOf(
  fields: StoredPoint['fields'],
  tags: StoredPoint['tags'],
): Record<string, UsageAttributeValue> {
  const attributes: Record<string, UsageAttributeValue> = {};
  for (const [field, value] of fields) {
    const name = attributeOfField(field, tags);
    if (name !== undefined) attributes[name] = value;
  }
  return attributes;
}

/** Servers leave out zeros at the end. */
export function nineDigits(time: string): string {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}Z`;
}
