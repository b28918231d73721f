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
import { HeldRecords } from './held-records.ts';
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
  /** Never rejects. Calls that end before it resolves are emitted after: prices are being loaded. */
  readonly ready?: Promise<void> | undefined;
  readonly onUsage: ((record: UsageRecord) => void) | undefined;
}

/** From an ended call to its one record, and from the record to span, metrics, event and callback. */
export class UsagePipeline {
  readonly #options: UsagePipelineOptions;
  readonly #metrics: UsageMetrics;
  readonly #pending = new Set<Promise<unknown>>();
  /** Records that wait until it is known whether calls are to be recorded. */
  readonly held: HeldRecords = new HeldRecords({
    emit: ({ record, ended }, { tokenStatistics }) => {
      if (tokenStatistics) this.#publish(record, ended);
      else this.#publishWithoutTokens(record, ended);
    },
    drop: () => this.#countUnknown(),
  });
  #ready: boolean;

  constructor(options: UsagePipelineOptions) {
    this.#options = options;
    this.#ready = options.ready === undefined;
    void options.ready?.then(() => (this.#ready = true));
    this.#metrics = new UsageMetrics(options.generations, options.metricAttributes);
  }

  /** Emits at once when nothing has to be counted. The promise resolves with the record. */
  settle(ended: EndedCall): Promise<UsageRecord | undefined> {
    const undecided = this.held.concerns(ended);
    const reported = usageAsReported(ended, this.#options.counting);
    if (reported !== undefined && this.#ready) {
      return Promise.resolve(this.#emit(ended, reported, undecided));
    }
    const emitted = this.#emitLater(ended, reported, undecided);
    this.#pending.add(emitted);
    return emitted.finally(() => this.#pending.delete(emitted));
  }

  async #emitLater(
    ended: EndedCall,
    reported: FilledUsage | undefined,
    undecided: boolean,
  ): Promise<UsageRecord | undefined> {
    const { counting, counter, ready } = this.#options;
    const filled = reported ?? (await fillUsage(ended, counting, counter));
    await ready;
    return this.#emit(ended, filled, undecided);
  }

  /** Resolves when every call that has ended by now is emitted. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  #emit(ended: EndedCall, filled: FilledUsage, undecided: boolean): UsageRecord | undefined {
    let record: UsageRecord;
    try {
      record = buildRecord(ended, filled, this.#options);
    } catch (error) {
      closeUnrecorded(ended);
      return failedQuietly('making a usage record', error);
    }
    if (!undecided) return this.#publish(record, ended);
    // A span of the SDK's does not wait for us.
    if (ended.spanIsForeign) closeUnrecorded(ended);
    const { captureContent } = this.#options;
    this.held.take({ record, ended: captureContent ? ended : withoutContent(ended) });
    return record;
  }

  /** Each step has a `catch` of its own: one that fails takes no other with it. */
  #publish(record: UsageRecord, ended: EndedCall): UsageRecord {
    const { captureContent, generations, onUsage } = this.#options;
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

  #publishWithoutTokens({ id, time }: UsageRecord, ended: EndedCall): void {
    const withoutTokens = { ...ended, tokenStatistics: false };
    const filled = { usage: {}, tokenSource: undefined };
    try {
      const record = buildRecord(withoutTokens, filled, this.#options);
      this.#publish({ ...record, id, time }, withoutTokens);
    } catch (error) {
      failedQuietly('making a usage record', error);
    }
  }

  #countUnknown(): void {
    quietly('counting a dropped record', () => {
      const description = 'Records that were dropped before they were emitted';
      this.#options
        .meter()
        .createCounter('token_meter.records.dropped', { unit: '{record}', description })
        .add(1, { reason: 'settings_unknown' });
    });
  }
}

function withoutContent(ended: EndedCall): EndedCall {
  return { ...ended, request: undefined, reply: { ...ended.reply, outputs: [] } };
}
