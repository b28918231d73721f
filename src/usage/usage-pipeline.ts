import type { Meter } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../domain/ended-call.ts';
import { failedQuietly, quietly } from '../host/quietly.ts';
import type { SemconvGeneration } from '../otel/semconv.ts';
import type { BackgroundCounter } from '../tokens/background.ts';
import { buildRecord, type RecordOptions } from './build-record.ts';
import type { Delivery, Targets } from './delivery.ts';
import { contentAttributes } from './emit/content.ts';
import { emitEvent } from './emit/event.ts';
import { UsageMetrics } from './emit/metrics.ts';
import { closeUnrecorded, emitSpan } from './emit/span.ts';
import { HeldRecords, type HeldRecord } from './held-records.ts';
import { fillUsage, usageAsReported, type Counting, type FilledUsage } from './fill-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';

export interface UsagePipelineOptions extends RecordOptions {
  readonly meters: () => readonly Meter[];
  readonly loggers: () => readonly Logger[];
  readonly counting: Counting;
  readonly captureContent: boolean;
  readonly generations: readonly SemconvGeneration[];
  readonly metricAttributes: readonly string[];
  readonly counter: BackgroundCounter;
  /**
   * Called when the first call has ended, to load prices; calls are emitted once it has resolved.
   * Never rejects.
   */
  readonly prepare?: (() => Promise<void>) | undefined;
  readonly onUsage: ((record: UsageRecord) => void) | undefined;
}

/** From an ended call to its one record, and from the record to span, metrics, event and callback. */
export class UsagePipeline {
  readonly #options: UsagePipelineOptions;
  readonly #metrics: UsageMetrics;
  readonly #pending = new Set<Promise<unknown>>();
  /** Records that wait until it is known whether calls are to be recorded. */
  readonly held: HeldRecords = new HeldRecords({
    emit: ({ record, ended, targets }, { tokenStatistics }) => {
      if (tokenStatistics) this.#publish(record, ended, targets);
      else this.#publishWithoutTokens(ended, targets);
    },
    drop: (held) => countDropped(held),
  });
  #ready: boolean;
  #preparing: Promise<void> | undefined;

  constructor(options: UsagePipelineOptions) {
    this.#options = options;
    this.#ready = options.prepare === undefined;
    this.#metrics = new UsageMetrics(options.generations, options.metricAttributes);
  }

  /**
   * Emits at once when nothing has to be counted. The promise resolves with the record. Of several
   * pipelines that share a `delivery` the first to be asked emits to what they have in common.
   */
  settle(ended: EndedCall, delivery: Delivery): Promise<UsageRecord | undefined> {
    const targets: Targets = {
      ids: delivery.ids(ended),
      meters: this.#options.meters().filter((meter) => delivery.reaches(meter)),
      loggers: this.#options.loggers().filter((logger) => delivery.reaches(logger)),
      span: delivery.reaches(ended.span),
    };
    const undecided = this.held.concerns(ended);
    const reported = usageAsReported(ended, this.#options.counting);
    if (reported !== undefined && this.#ready) {
      return Promise.resolve(this.#emit(ended, reported, targets, undecided));
    }
    const emitted = this.#emitLater(ended, reported, targets, undecided);
    this.#pending.add(emitted);
    return emitted.finally(() => this.#pending.delete(emitted));
  }

  async #emitLater(
    ended: EndedCall,
    reported: FilledUsage | undefined,
    targets: Targets,
    undecided: boolean,
  ): Promise<UsageRecord | undefined> {
    const { counting, counter } = this.#options;
    const prepared = this.#prepare();
    const filled = reported ?? (await fillUsage(ended, counting, counter));
    await prepared;
    return this.#emit(ended, filled, targets, undecided);
  }

  #prepare(): Promise<void> | undefined {
    this.#preparing ??= this.#options.prepare?.().then(() => {
      this.#ready = true;
    });
    return this.#preparing;
  }

  /** Resolves when every call that has ended by now is emitted. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  #emit(
    ended: EndedCall,
    filled: FilledUsage,
    targets: Targets,
    undecided: boolean,
  ): UsageRecord | undefined {
    let record: UsageRecord;
    try {
      record = buildRecord(ended, filled, targets.ids, this.#options);
    } catch (error) {
      if (targets.span) closeUnrecorded(ended);
      return failedQuietly('making a usage record', error);
    }
    if (!undecided) return this.#publish(record, ended, targets);
    // A native span of the SDK does not wait for the decision.
    if (targets.span && ended.spanIsForeign) closeUnrecorded(ended);
    const { captureContent } = this.#options;
    this.held.take({ record, ended: captureContent ? ended : withoutContent(ended), targets });
    return record;
  }

  /** Each step has its own `catch`: one that fails takes no other with it. */
  #publish(record: UsageRecord, ended: EndedCall, targets: Targets): UsageRecord {
    const { captureContent, generations, onUsage } = this.#options;
    if (targets.span) {
      const content =
        captureContent && ended.span.isRecording()
          ? quietly('capturing content', () => contentAttributes(ended))
          : undefined;
      quietly('ending a span', () => emitSpan(record, ended, generations, content));
    }
    for (const meter of targets.meters) {
      quietly('recording metrics', () => this.#metrics.record(meter, record, ended));
    }
    for (const logger of targets.loggers) {
      quietly('emitting a usage event', () => emitEvent(logger, record, ended, generations));
    }
    if (onUsage !== undefined) quietly('calling onUsage', () => onUsage(record));
    return record;
  }

  #publishWithoutTokens(ended: EndedCall, targets: Targets): void {
    const withoutTokens = { ...ended, tokenStatistics: false };
    const filled = { usage: {}, tokenSource: undefined };
    try {
      const record = buildRecord(withoutTokens, filled, targets.ids, this.#options);
      this.#publish(record, withoutTokens, targets);
    } catch (error) {
      failedQuietly('making a usage record', error);
    }
  }
}

function countDropped({ targets }: HeldRecord): void {
  const description = 'Records that were dropped before they were emitted';
  for (const meter of targets.meters) {
    quietly('counting a dropped record', () =>
      meter
        .createCounter('token_meter.records.dropped', { unit: '{record}', description })
        .add(1, { reason: 'settings_unknown' }),
    );
  }
}

function withoutContent(ended: EndedCall): EndedCall {
  return { ...ended, request: undefined, reply: { ...ended.reply, outputs: [] } };
}
