import { createHash } from 'node:crypto';
import { TokenMeterError } from '../errors.ts';
import { recordedTeam } from '../domain/dimensions.ts';
import type { Switches } from '../domain/switches.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { ATTR, ATTR_CACHE_WRITE_TOKENS, EVENT_INFERENCE_DETAILS } from '../otel/semconv.ts';
import { SCOPE } from '../otel/telemetry.ts';
import { LivePrices } from '../prices/live-prices.ts';
import { hrTimeOf } from '../usage/record-id.ts';
import { eventAttributes } from '../usage/emit/event.ts';
import { callOfClaudeCode, isMeteredByItsParent } from './dialects/claude-code.ts';
import { callOfCodex } from './dialects/codex.ts';
import { callOfConventionalEvent, callOfConventionalSpan } from './dialects/conventions.ts';
import { callOfOpenInference } from './dialects/openinference.ts';
import { callOfVercelAi } from './dialects/vercel-ai.ts';
import { DEFAULT_IDENTITY, identityOf, type IngestIdentity } from './identity.ts';
import { ingestedRecord } from './ingested-record.ts';
import { decodeOtlp, type OtlpSignal } from './otlp-messages.ts';
import { logsOf, spansOf } from './otlp-reader.ts';
import type { ReceivedAttributes, ReceivedLog, ReceivedSpan } from './received.ts';
import type { ReportedCall } from './reported-call.ts';
import { SeenCalls } from './seen-calls.ts';

/** What a ledger's processor takes. `InfluxUsageProcessor` and the others fit. */
export interface IngestLedger {
  onEmit(log: {
    readonly hrTime: readonly [number, number];
    readonly eventName: string;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly resource: { readonly attributes: Readonly<Record<string, unknown>> };
    readonly spanContext?: { readonly traceId: string; readonly spanId: string };
  }): void;
}

export interface OtlpIngestOptions {
  /** Takes the records. */
  readonly ledger: IngestLedger;
  /** The live switches for the calls of a service and a team. @default both on */
  readonly switches?: (calls: { readonly service: string; readonly team?: string }) => Switches;
  /** Files of prices, as in the configuration. @default the list of the package */
  readonly pricesFile?: string | undefined;
  readonly listFile?: string | undefined;
  /** Names of the dimensions that records may have. @default none */
  readonly dimensions?: readonly string[];
  /** Attributes that name user, conversation, team and dimensions. @default names in common use */
  readonly identity?: Partial<IngestIdentity>;
  /** HMAC-SHA-256 of user ids when set. */
  readonly userIdHashKey?: string | undefined;
  /** Called with each record. */
  readonly onRecord?: (record: UsageRecord) => void;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** What became of the items of one request, or of all. */
export interface IngestCounts {
  /** Calls that were recorded. */
  records: number;
  /** Calls that were recorded before: resends, wrappers, second reports. */
  duplicates: number;
  /** Spans and events that are no calls of a model. */
  ignored: number;
  /** Calls that cannot be recorded: their time is in the future. */
  refused: number;
}

/** Clocks of other machines may be wrong, but not by more than a day. */
const FUTURE_MS = 86_400_000;

const OUR_EVENT: string = EVENT_INFERENCE_DETAILS;

/** Makes records of the calls that other programs report by OTLP. Reads no message content. */
export class OtlpIngest {
  readonly counts: IngestCounts = { records: 0, duplicates: 0, ignored: 0, refused: 0 };
  readonly #options: OtlpIngestOptions;
  readonly #identity: IngestIdentity;
  readonly #prices: LivePrices;
  readonly #seen = new SeenCalls();
  readonly #now: () => number;

  constructor(options: OtlpIngestOptions) {
    this.#options = options;
    this.#identity = { ...DEFAULT_IDENTITY, ...options.identity };
    this.#now = options.now ?? Date.now;
    this.#prices = new LivePrices({
      pricesFile: options.pricesFile,
      listFile: options.listFile ?? '',
      refreshIntervalMs: 0,
      // The instrumentation of the process reports the same problem.
      onProblem: () => undefined,
    });
  }

  /** A call that was metered in this process: it is not recorded again when it is reported by OTLP. */
  saw(record: UsageRecord): void {
    const { traceId, spanId, responseId } = record;
    if (traceId !== undefined && spanId !== undefined) this.#seen.addItem(`${traceId} ${spanId}`);
    this.#seen.addReply({ responseId, usage: record }, Date.parse(record.time));
  }

  /**
   * Records the calls of one OTLP request. `contentType`: `application/x-protobuf` or `application/json`.
   * Metrics are accepted and not recorded: they are sums of the same calls. Rejects with `INVALID_TELEMETRY`
   * for a body that is no such request, and with `MISSING_DEPENDENCY` for protobuf without `protobufjs`.
   */
  async take(signal: OtlpSignal, body: Uint8Array, contentType: string): Promise<IngestCounts> {
    const data = decoded(signal, body, contentType);
    await this.#prices.load();
    const counts: IngestCounts = { records: 0, duplicates: 0, ignored: 0, refused: 0 };
    const items =
      signal === 'traces' ? inOrder(spansOf(data)) : signal === 'logs' ? logsOf(data) : [];
    for (const item of items) {
      const outcome = this.#take(item);
      counts[outcome] += 1;
      this.counts[outcome] += 1;
    }
    return counts;
  }

  #take(item: ReceivedSpan | ReceivedLog): keyof IngestCounts {
    if (isMeteredByItsParent(item)) return 'duplicates';
    if ('eventName' in item) return this.#takeLog(item);
    const { traceId, spanId, parentSpanId } = item;
    // Our own spans come with an event, which is the record.
    const call = item.scope === SCOPE ? undefined : callOfSpan(item);
    const isWrapper =
      call !== undefined && this.#seen.containsCall(traceId, spanId, call.operation);
    this.#seen.passUp(traceId, spanId, parentSpanId, call?.operation);
    if (call === undefined) return 'ignored';
    if (isWrapper) return 'duplicates';
    const timeNs = item.endNs === 0n ? item.startNs : item.endNs;
    // Ids that are not hexadecimal cannot be distinguished.
    const key =
      traceId === '' || spanId === '' ? keyOf({ ...item, timeNs }) : `${traceId} ${spanId}`;
    return this.#record(call, item, timeNs, key);
  }

  #takeLog(log: ReceivedLog): keyof IngestCounts {
    const { attributes, timeNs } = log;
    if (log.eventName === OUR_EVENT && attributes[ATTR.recordId] !== undefined) {
      return this.#takeOurs(log);
    }
    const call = callOfLog(log);
    if (call === undefined) return 'ignored';
    return this.#record(call, log, timeNs, keyOf(log));
  }

  /** The event of this package in another service is a record already, with its id and its cost. */
  #takeOurs({ attributes, resource, timeNs, traceId, spanId }: ReceivedLog): keyof IngestCounts {
    if (Number(timeNs / 1_000_000n) > this.#now() + FUTURE_MS) return 'refused';
    const switches = this.#switchesOf(resource, attributes[ATTR.team]);
    if (!switches.enabled) return 'ignored';
    const key = String(attributes[ATTR.recordId]);
    if (this.#seen.hasItem(key)) return 'duplicates';
    this.#options.ledger.onEmit({
      hrTime: [Number(timeNs / 1_000_000_000n), Number(timeNs % 1_000_000_000n)],
      eventName: OUR_EVENT,
      attributes: switches.tokenStatistics ? attributes : withoutTokens(attributes),
      resource: { attributes: resource },
      ...(spanId !== '' && { spanContext: { traceId, spanId } }),
    });
    // Only now: a ledger that throws gets the call by the next resend.
    this.#seen.addItem(key);
    if (spanId !== '') this.#seen.addItem(`${traceId} ${spanId}`);
    return 'records';
  }

  #record(
    call: ReportedCall,
    item: ReceivedSpan | ReceivedLog,
    endNs: bigint,
    key: string,
  ): keyof IngestCounts {
    const nowMs = this.#now();
    const endMs = endNs === 0n ? nowMs : Number(endNs / 1_000_000n);
    if (endMs > nowMs + FUTURE_MS) return 'refused';
    const { ledger, dimensions = [], userIdHashKey, onRecord } = this.#options;
    const { attributes, resource, traceId, spanId } = item;
    const usageContext = identityOf(attributes, item, this.#identity, dimensions, call.agentName);
    const { enabled, tokenStatistics } = this.#switchesOf(resource, usageContext.team);
    if (!enabled) return 'ignored';
    if (this.#seen.hasItem(key) || this.#seen.hasReply(call, endMs)) return 'duplicates';
    const record = ingestedRecord(
      call,
      {
        key,
        service: serviceOf(resource),
        traceId,
        spanId,
        endMs,
        usageContext,
        tokenStatistics,
      },
      {
        userIdHashKey,
        dimensions,
        priceOf: (priced) => this.#prices.price(priced),
      },
    );
    ledger.onEmit({
      hrTime: hrTimeOf(record.time),
      eventName: OUR_EVENT,
      attributes: eventAttributes(record, ['latest'], record.timeToFirstChunkMs !== undefined),
      resource: { attributes: { 'service.name': record.service } },
      ...(record.spanId !== undefined && { spanContext: { traceId, spanId } }),
    });
    this.#seen.addItem(key);
    this.#seen.addReply(call, endMs);
    onRecord?.(record);
    return 'records';
  }

  #switchesOf(resource: ReceivedAttributes, given: unknown): Switches {
    const team = recordedTeam(given);
    const calls = { service: serviceOf(resource), ...(team !== undefined && { team }) };
    return this.#options.switches?.(calls) ?? { enabled: true, tokenStatistics: true };
  }
}

const serviceOf = (resource: ReceivedAttributes): string =>
  String(resource['service.name'] ?? 'unknown_service');

const OF_TOKENS: ReadonlySet<string> = new Set([
  ATTR.inputTokens,
  ATTR.outputTokens,
  ATTR.cacheReadTokens,
  ATTR.reasoningTokens,
  ATTR.tokenSource,
  ATTR.countedInputTokens,
  ATTR.countedOutputTokens,
  ATTR.costUsd,
  ATTR.costSource,
  ATTR.costMissing,
  ...Object.values(ATTR_CACHE_WRITE_TOKENS),
]);

function withoutTokens(attributes: ReceivedAttributes): ReceivedAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !OF_TOKENS.has(name)));
}

function decoded(signal: OtlpSignal, body: Uint8Array, contentType: string): unknown {
  try {
    return /\bjson\b/.test(contentType)
      ? (JSON.parse(Buffer.from(body).toString('utf8')) as unknown)
      : decodeOtlp(signal, body);
  } catch (error) {
    if (error instanceof TokenMeterError) throw error;
    // Without the cause, whose message may quote the body.
    throw new TokenMeterError('INVALID_TELEMETRY', `the body is no OTLP request with ${signal}`, {
      allowed: 'protobuf or JSON of OTLP 1.x',
    });
  }
}

/** Children before their parents: of one request by the tree, of several by when they are sent. */
function inOrder(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const byId = new Map(spans.map((span) => [`${span.traceId} ${span.spanId}`, span]));
  const depths = new Map<ReceivedSpan, number>();
  const depthOf = (span: ReceivedSpan): number => {
    const line: ReceivedSpan[] = [];
    let at: ReceivedSpan | undefined = span;
    for (; at !== undefined && !depths.has(at) && !line.includes(at);) {
      line.push(at);
      at = byId.get(`${at.traceId} ${at.parentSpanId}`);
    }
    let depth = (at === undefined ? undefined : depths.get(at)) ?? 0;
    for (const each of line.toReversed()) depths.set(each, ++depth);
    return depths.get(span) ?? 0;
  };
  return spans.toSorted((a, b) => depthOf(b) - depthOf(a));
}

function callOfSpan(span: ReceivedSpan): ReportedCall | undefined {
  return callOfVercelAi(span) ?? callOfOpenInference(span) ?? callOfConventionalSpan(span);
}

function callOfLog(log: ReceivedLog): ReportedCall | undefined {
  return (
    callOfClaudeCode(log) ??
    callOfCodex(log) ??
    (log.eventName === OUR_EVENT ? callOfConventionalEvent(log) : undefined)
  );
}

/**
 * A separate event: distinguished from others by when it happened, where, and what it says. A digest: thousands
 * of keys are remembered, and a resource of many attributes is shared by all events of a request.
 */
function keyOf({
  timeNs,
  resource,
  attributes,
}: Pick<ReceivedLog, 'timeNs' | 'resource' | 'attributes'>): string {
  return digest([String(timeNs), digestOf(resource), sorted(attributes)]);
}

const digests = new WeakMap<ReceivedAttributes, string>();

function digestOf(resource: ReceivedAttributes): string {
  const known = digests.get(resource);
  if (known !== undefined) return known;
  const made = digest(sorted(resource));
  digests.set(resource, made);
  return made;
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function sorted(attributes: ReceivedAttributes): unknown {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
