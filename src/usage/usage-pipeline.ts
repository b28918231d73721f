import { context, trace, type Meter, type Span } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../call/chat-call.ts';
import { quietly } from '../call/quietly.ts';
import type { ReportedUsage } from '../providers/provider.ts';
import { ATTR, ATTR_MODALITY_TOKENS, type SemconvGeneration } from '../semconv.ts';
import type { BackgroundCounter } from '../tokens/background.ts';
import { buildRecord, type RecordOptions } from './build-record.ts';
import { contentAttributes } from './emit/content.ts';
import { emitEvent } from './emit/event.ts';
import { UsageMetrics } from './emit/metrics.ts';
import { closeUnrecorded, emitSpan } from './emit/span.ts';
import { fillUsage, usageAsReported, type Counting, type FilledUsage } from './fill-usage.ts';
import type { UsageAttributeValue, UsageRecord } from './usage-record.ts';

export interface UsagePipelineOptions extends RecordOptions {
  readonly meter: () => Meter;
  readonly logger: () => Logger;
  readonly service: (span: Span) => string;
  readonly counting: Counting;
  readonly captureContent: boolean;
  readonly generations: readonly SemconvGeneration[];
  readonly metricAttributes: readonly string[];
  readonly counter: BackgroundCounter;
  /** Never rejects. Calls that end before it resolves are emitted after: prices are being loaded. */
  readonly ready?: Promise<void> | undefined;
  readonly onUsage: ((record: UsageRecord) => void) | undefined;
}

/** From an ended call to its one record, and from the record to span, metrics, event and callback. */
export class UsagePipeline {
  readonly #options: UsagePipelineOptions;
  readonly #metrics: UsageMetrics;
  readonly #pending = new Set<Promise<unknown>>();
  #ready: boolean;

  constructor(options: UsagePipelineOptions) {
    this.#options = options;
    this.#ready = options.ready === undefined;
    void options.ready?.then(() => (this.#ready = true));
    this.#metrics = new UsageMetrics(options.generations, options.metricAttributes);
  }

  /** Emits at once when nothing has to be counted. The promise resolves with the record. */
  settle(ended: EndedCall): Promise<UsageRecord | undefined> {
    const reported = usageAsReported(ended, this.#options.counting);
    if (reported !== undefined && this.#ready) return Promise.resolve(this.#emit(ended, reported));
    const emitted = this.#emitLater(ended, reported);
    this.#pending.add(emitted);
    return emitted.finally(() => this.#pending.delete(emitted));
  }

  async #emitLater(
    ended: EndedCall,
    reported: FilledUsage | undefined,
  ): Promise<UsageRecord | undefined> {
    const { counting, counter, ready } = this.#options;
    const filled = reported ?? (await fillUsage(ended, counting, counter));
    await ready;
    return this.#emit(ended, filled);
  }

  /** Resolves when every call that has ended by now is emitted. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  #emit(ended: EndedCall, filled: FilledUsage): UsageRecord | undefined {
    const options = this.#options;
    const record = quietly('making a usage record', () => this.#record(ended, filled));
    if (record === undefined) {
      closeUnrecorded(ended);
      return undefined;
    }
    const content =
      options.captureContent && ended.span.isRecording()
        ? quietly('capturing content', () => contentAttributes(ended))
        : undefined;
    quietly('ending a span', () => emitSpan(record, ended, options.generations, content));
    quietly('recording metrics', () => this.#metrics.record(options.meter(), record, ended));
    quietly('emitting a usage event', () =>
      emitEvent(
        options.logger(),
        record,
        options.generations,
        () => trace.setSpan(context.active(), ended.span),
        ended.facts.stream === true,
      ),
    );
    quietly('calling onUsage', () => options.onUsage?.(record));
    return record;
  }

  #record(ended: EndedCall, filled: FilledUsage): UsageRecord {
    const { reply, facts, usageContext } = ended;
    return buildRecord(
      {
        service: this.#options.service(ended.span),
        operation: ended.shape.operation,
        provider: ended.provider,
        requestModel: facts.model,
        responseModel: reply.responseModel,
        responseId: reply.responseId,
        userId: usageContext.userId,
        conversationId: usageContext.conversationId ?? reply.conversationId,
        endedAtMs: ended.startedAtMs + ended.durationMs,
        durationMs: ended.durationMs,
        timeToFirstChunkMs: facts.stream === true ? ended.timeToFirstChunkMs : undefined,
        usage: filled.usage,
        tokenSource: filled.tokenSource,
        outcome: ended.outcome,
        errorType: ended.errorType,
        attributes: merged(
          modalityAttributes(ended.tokenStatistics ? reply.usage : undefined),
          countedAttributes(filled),
          usageContext.attributes,
        ),
        span: ended.span,
      },
      this.#options,
    );
  }
}

type Attributes = Readonly<Record<string, UsageAttributeValue>> | undefined;

/** Undefined in most calls, which have none. */
function merged(first: Attributes, second: Attributes, third: Attributes): Attributes {
  if (first === undefined && second === undefined) return third;
  return { ...first, ...second, ...third };
}

const MODALITIES = Object.entries(ATTR_MODALITY_TOKENS) as readonly (readonly [
  keyof typeof ATTR_MODALITY_TOKENS,
  string,
])[];

function modalityAttributes(
  usage: ReportedUsage | undefined,
): Record<string, UsageAttributeValue> | undefined {
  if (usage === undefined) return undefined;
  let attributes: Record<string, UsageAttributeValue> | undefined;
  for (const [field, name] of MODALITIES) {
    const tokens = usage[field];
    if (tokens !== undefined && tokens > 0) (attributes ??= {})[name] = tokens;
  }
  return attributes;
}

function countedAttributes({
  counted,
}: FilledUsage): Record<string, UsageAttributeValue> | undefined {
  if (counted === undefined) return undefined;
  const attributes: Record<string, UsageAttributeValue> = {};
  if (counted.inputTokens !== undefined) {
    attributes[ATTR.countedInputTokens] = counted.inputTokens;
  }
  if (counted.outputTokens !== undefined) {
    attributes[ATTR.countedOutputTokens] = counted.outputTokens;
  }
  return attributes;
}
