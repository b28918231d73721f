import { TokenMeterError } from '../errors.ts';
import { requireHere } from '../host/require-here.ts';

export type OtlpSignal = 'traces' | 'logs' | 'metrics';

/**
 * The members of OTLP's messages that are read here, as `opentelemetry/proto/*` 1.9 numbers them; a decoder
 * skips all others.
 */
const MESSAGES = {
  AnyValue: {
    stringValue: ['string', 1],
    boolValue: ['bool', 2],
    intValue: ['int64', 3],
    doubleValue: ['double', 4],
  },
  KeyValue: { key: ['string', 1], value: ['AnyValue', 2] },
  Resource: { attributes: ['KeyValue[]', 1] },
  Scope: { name: ['string', 1] },
  Status: { code: ['int32', 3] },
  SpanEvent: { name: ['string', 2], attributes: ['KeyValue[]', 3] },
  Span: {
    traceId: ['bytes', 1],
    spanId: ['bytes', 2],
    parentSpanId: ['bytes', 4],
    name: ['string', 5],
    startTimeUnixNano: ['fixed64', 7],
    endTimeUnixNano: ['fixed64', 8],
    attributes: ['KeyValue[]', 9],
    events: ['SpanEvent[]', 11],
    status: ['Status', 15],
  },
  ScopeSpans: { scope: ['Scope', 1], spans: ['Span[]', 2] },
  ResourceSpans: { resource: ['Resource', 1], scopeSpans: ['ScopeSpans[]', 2] },
  TracesData: { resourceSpans: ['ResourceSpans[]', 1] },
  LogRecord: {
    timeUnixNano: ['fixed64', 1],
    body: ['AnyValue', 5],
    attributes: ['KeyValue[]', 6],
    flags: ['fixed32', 8],
    traceId: ['bytes', 9],
    spanId: ['bytes', 10],
    observedTimeUnixNano: ['fixed64', 11],
    eventName: ['string', 12],
  },
  ScopeLogs: { scope: ['Scope', 1], logRecords: ['LogRecord[]', 2] },
  ResourceLogs: { resource: ['Resource', 1], scopeLogs: ['ScopeLogs[]', 2] },
  LogsData: { resourceLogs: ['ResourceLogs[]', 1] },
  /** Metrics are accepted and not read. */
  MetricsData: {},
} as const;

const ROOT_MESSAGE: Readonly<Record<OtlpSignal, keyof typeof MESSAGES>> = {
  traces: 'TracesData',
  logs: 'LogsData',
  metrics: 'MetricsData',
};

/** The part of `protobufjs` used here. */
interface MessageType {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): unknown;
}
interface Protobuf {
  readonly Root: {
    fromJSON(json: object): { lookupType(name: string): MessageType };
  };
}

let types: { lookupType(name: string): MessageType } | undefined;

/**
 * An OTLP request in protobuf, in the shape of its JSON encoding, except that ids are bytes. Throws
 * `MISSING_DEPENDENCY` without the package `protobufjs`, and an error of that package for bytes that are no
 * such message.
 */
export function decodeOtlp(signal: OtlpSignal, bytes: Uint8Array): unknown {
  types ??= protobuf().Root.fromJSON({ nested: nestedMessages() });
  const type = types.lookupType(ROOT_MESSAGE[signal]);
  return type.toObject(type.decode(bytes), { longs: String });
}

function nestedMessages(): object {
  const nested: Record<string, object> = {};
  for (const [name, members] of Object.entries(MESSAGES)) {
    const fields: Record<string, object> = {};
    for (const [member, [type, id]] of Object.entries(
      members as Readonly<Record<string, readonly [string, number]>>,
    )) {
      const isList = type.endsWith('[]');
      fields[member] = {
        type: isList ? type.slice(0, -2) : type,
        id,
        ...(isList && { rule: 'repeated' }),
      };
    }
    nested[name] = { fields };
  }
  return nested;
}

function protobuf(): Protobuf {
  try {
    return requireHere()('protobufjs/light.js') as Protobuf;
  } catch (cause) {
    throw new TokenMeterError(
      'MISSING_DEPENDENCY',
      'OTLP in protobuf needs the package protobufjs: npm install protobufjs, or send JSON',
      { cause },
    );
  }
}
