import { fields, isObject, listOf, text } from '../tokens/json.ts';
import type { UsageAttributeValue } from '../domain/usage-record.ts';
import type { Origin, ReceivedAttributes, ReceivedLog, ReceivedSpan } from './received.ts';

/** `STATUS_CODE_ERROR` */
const STATUS_ERROR = 2;
/** W3C trace flag of a sampled span. */
const SAMPLED = 1;

/** The spans of a decoded `TracesData`. What does not have the shape of a span is left out. */
export function spansOf(data: unknown): ReceivedSpan[] {
  return itemsOf(data, 'resourceSpans', 'scopeSpans', 'spans').map(([item, origin]) => ({
    ...origin,
    name: text(item['name']) ?? '',
    traceId: hexOf(item['traceId']),
    spanId: hexOf(item['spanId']),
    parentSpanId: hexOf(item['parentSpanId']),
    startNs: nanosecondsOf(item['startTimeUnixNano']),
    endNs: nanosecondsOf(item['endTimeUnixNano']),
    isError: isErrorCode(fields(item['status'])['code']),
    exception: exceptionOf(item['events']),
    attributes: attributesOf(item['attributes']),
  }));
}

/** The log records of a decoded `LogsData`. */
export function logsOf(data: unknown): ReceivedLog[] {
  return itemsOf(data, 'resourceLogs', 'scopeLogs', 'logRecords').map(([item, origin]) => {
    const attributes = attributesOf(item['attributes']);
    const timeNs = nanosecondsOf(item['timeUnixNano']);
    return {
      ...origin,
      eventName:
        text(item['eventName']) ??
        text(attributes['event.name']) ??
        text(fields(item['body'])['stringValue']) ??
        '',
      traceId: hexOf(item['traceId']),
      spanId: hexOf(item['spanId']),
      isSampled: (Number(item['flags'] ?? 0) & SAMPLED) === SAMPLED,
      timeNs: timeNs === 0n ? nanosecondsOf(item['observedTimeUnixNano']) : timeNs,
      attributes,
    };
  });
}

type Item = Readonly<Record<string, unknown>>;

function itemsOf(data: unknown, resources: string, scopes: string, items: string) {
  const found: [Item, Origin][] = [];
  for (const ofResource of listOf(fields(data)[resources])) {
    const resource = attributesOf(fields(fields(ofResource)['resource'])['attributes']);
    for (const ofScope of listOf(fields(ofResource)[scopes])) {
      const scope = text(fields(fields(ofScope)['scope'])['name']) ?? '';
      for (const item of listOf(fields(ofScope)[items])) {
        if (isObject(item)) found.push([item, { resource, scope }]);
      }
    }
  }
  return found;
}

function attributesOf(list: unknown): ReceivedAttributes {
  const attributes: Record<string, UsageAttributeValue> = Object.create(null) as {};
  for (const pair of listOf(list)) {
    const { key, value } = fields(pair);
    const scalar = scalarOf(fields(value));
    if (typeof key === 'string' && scalar !== undefined) attributes[key] = scalar;
  }
  return attributes;
}

function scalarOf(value: Item): UsageAttributeValue | undefined {
  const { stringValue, boolValue, intValue, doubleValue } = value;
  if (typeof stringValue === 'string') return stringValue;
  if (typeof boolValue === 'boolean') return boolValue;
  // Integers of 64 bits are texts in JSON.
  const number = Number(intValue ?? doubleValue ?? Number.NaN);
  return Number.isFinite(number) ? number : undefined;
}

/** JSON has ids in hex, protobuf as bytes. */
function hexOf(id: unknown): string {
  if (id instanceof Uint8Array) return Buffer.from(id).toString('hex');
  return typeof id === 'string' && /^[0-9a-f]+$/i.test(id) ? id.toLowerCase() : '';
}

function nanosecondsOf(value: unknown): bigint {
  return /^\d{1,20}$/.test(String(value)) ? BigInt(String(value)) : 0n;
}

/** Class of the last exception that the span recorded. */
function exceptionOf(events: unknown): string | undefined {
  const exception = listOf(events).findLast((event) => fields(event)['name'] === 'exception');
  return text(attributesOf(fields(exception)['attributes'])['exception.type']);
}

function isErrorCode(code: unknown): boolean {
  return code === STATUS_ERROR || code === 'STATUS_CODE_ERROR';
}
