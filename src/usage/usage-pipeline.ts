import type { Meter } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../domain/ended-call.ts';
import { failedQuietly, quietly } from '../host/quietly.ts';
import type { SemconvGeneration } from '../otel/semconv.ts';
import type { BackgroundCounter } from '../tokens/background.ts';
import { buildRecord, type RecordOptions } from './build-record.ts';
import type { Delivery, RecordIds } from './delivery.ts';
import { contentAttributes } from './emit/content.ts';
import { emitEvent } from './emit/event.ts';
import { UsageMetrics } from './emit/metrics.ts';
import { closeUnrecorded, emitSpan } from './emit/span.ts';
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

/** What of a record goes where. */
interface Targets {
  readonly ids: RecordIds;
  readonly meters: readonly Meter[];
  readonly loggers: readonly Logger[];
  readonly span: boolean;
}

/** From an ended call to its one record, and from the record to span, metrics, event and callback. */
export class UsagePipeline {
  readonly #options: UsagePipelineOptions;
  readonly #metrics: UsageMetrics;
  readonly #pending = new Set<Promise<unknown>>();
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
    const reported = usageAsReported(ended, this.#options.counting);
    if (reported !== undefined && this.#ready) {
      return Promise.resolve(this.#emit(ended, reported, targets));
    }
    const emitted = this.#emitLater(ended, reported, targets);
    this.#pending.add(emitted);
    return emitted.finally(() => this.#pending.delete(emitted));
  }

  async #emitLater(
    ended: EndedCall,
    reported: FilledUsage | undefined,
    targets: Targets,
  ): Promise<UsageRecord | undefined> {
    const { counting, counter } = this.#options;
    const prepared = this.#prepare();
    const filled = reported ?? (await fillUsage(ended, counting, counter));
    await prepared;
    return this.#emit(ended, filled, targets);
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

  /** Each step has its own `catch`: one that fails takes no other with it. */
  #emit(ended: EndedCall, filled: FilledUsage, targets: Targets): UsageRecord | undefined {
    const { captureContent, generations, onUsage } = this.#options;
    let record: UsageRecord;
    try {
      record = buildRecord(ended, filled, targets.ids, this.#options);
    } catch (error) {
      if (targets.span) closeUnrecorded(ended);
      return failedQuietly('making a usage record', error);
    }
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
}
