import type { Meter } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../domain/ended-call.ts';
import { failedQuietly, quietly } from '../host/quietly.ts';
import type { SemconvGeneration } from '../otel/semconv.ts';
import type { BackgroundCounter } from '../tokens/background.ts';
import { buildRecord, type RecordOptions } from './build-record.ts';
import { contentAttributes } from './emit/content.ts';
import { emitEvent } from './emit/event.ts';
import { UsageMetrics } from './emit/metrics.ts';
import { closeUnrecorded, emitSpan } from './emit/span.ts';
import { fillUsage, usageAsReported, type Counting, type FilledUsage } from './fill-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';

export interface UsagePipelineOptions extends RecordOptions {
  readonly meter: () => Meter;
  readonly logger: () => Logger;
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
  #ready: boolean;
  #preparing: Promise<void> | undefined;

  constructor(options: UsagePipelineOptions) {
    this.#options = options;
    this.#ready = options.prepare === undefined;
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
    const { counting, counter } = this.#options;
    const prepared = this.#prepare();
    const filled = reported ?? (await fillUsage(ended, counting, counter));
    await prepared;
    return this.#emit(ended, filled);
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

  /** Each step has a `catch` of its own: one that fails takes no other with it. */
  #emit(ended: EndedCall, filled: FilledUsage): UsageRecord | undefined {
    const { captureContent, generations, onUsage } = this.#options;
    let record: UsageRecord;
    try {
      record = buildRecord(ended, filled, this.#options);
    } catch (error) {
      closeUnrecorded(ended);
      return failedQuietly('making a usage record', error);
    }
    const content =
      captureContent && ended.span.isRecording()
        ? quietly('capturing content', () => contentAttributes(ended))
        : undefined;
    try {
      emitSpan(record, ended, generations, content);
    } catch (error) {
      failedQuietly('ending a span', error);
    }
    try {
      this.#metrics.record(this.#options.meter(), record, ended);
    } catch (error) {
      failedQuietly('recording metrics', error);
    }
    try {
      emitEvent(this.#options.logger(), record, ended, generations);
    } catch (error) {
      failedQuietly('emitting a usage event', error);
    }
    if (onUsage !== undefined) quietly('calling onUsage', () => onUsage(record));
    return record;
  }
}
