import type { Meter } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../domain/ended-call.ts';
import { callQuietly, failedQuietly, quietly } from '../host/quietly.ts';
import type { SemconvGeneration } from '../otel/semconv.ts';
import type { BackgroundCounter } from '../tokens/background.ts';
import { buildRecord, type RecordOptions } from './build-record.ts';
import type { Delivery, Destinations, Targets } from './delivery.ts';
import { contentAttributes } from './emit/content.ts';
import { emitEvent } from './emit/event.ts';
import { emitException } from './emit/exception.ts';
import { UsageMetrics } from './emit/metrics.ts';
import { closeUnrecorded, emitSpan } from './emit/span.ts';
import { HeldRecords, type HeldRecord } from './held-records.ts';
import {
  asReported,
  fillUsage,
  usageAsReported,
  type Counting,
  type FilledUsage,
} from './fill-usage.ts';
import { hasFailed, type UsageRecord } from '../domain/usage-record.ts';

export interface UsagePipelineOptions extends RecordOptions {
  readonly meters: () => readonly Meter[];
  readonly loggers: () => readonly Logger[];
  readonly counting: Counting;
  readonly captureContent: boolean;
  readonly generations: readonly SemconvGeneration[];
  readonly metricAttributes: readonly string[];
  /** Whether token metrics have tokens that were counted locally. */
  readonly metricsWithCounted: boolean;
  readonly counter: BackgroundCounter;
  /**
   * Called when the first call has ended, to load prices; calls are emitted once it has resolved.
   * Never rejects.
   */
  readonly prepare?: (() => Promise<void>) | undefined;
  readonly onUsage: ((record: UsageRecord) => void) | undefined;
}

/** One call in this pipeline. */
interface Way {
  readonly ended: EndedCall;
  readonly delivery: Delivery;
  readonly destinations: Destinations;
  /** Undefined: they are claimed when it is decided whether the record is emitted. */
  readonly targets: Targets | undefined;
}

/** From an ended call to its one record, and from the record to span, metrics, event and callback. */
export class UsagePipeline {
  readonly #options: UsagePipelineOptions;
  readonly #metrics: UsageMetrics;
  readonly #pending = new Set<Promise<unknown>>();
  /** What waits for prices or for counts, with the tokens that were reported. */
  readonly #waiting = new Map<Way, FilledUsage>();
  /** Records that wait until it is known whether calls are to be recorded. */
  readonly held: HeldRecords = new HeldRecords({
    emit: ({ record, ended, destinations, delivery }, { tokenStatistics }) => {
      const targets = delivery.claim(destinations);
      if (tokenStatistics) this.#publish(record, ended, targets);
      else this.#publishWithoutTokens(ended, targets, delivery);
    },
    drop: (held) => countDropped(held),
  });
  #ready: boolean;
  #preparing: Promise<void> | undefined;

  constructor(options: UsagePipelineOptions) {
    this.#options = options;
    this.#ready = options.prepare === undefined;
    this.#metrics = new UsageMetrics({
      generations: options.generations,
      extraAttributes: options.metricAttributes,
      withCounted: options.metricsWithCounted,
    });
  }

  /** Whether the record of this call has to wait for a decision. */
  isUndecided(ended: EndedCall): boolean {
    return this.held.concerns(ended);
  }

  /**
   * Emits at once when nothing has to be counted. The promise resolves with the record. Of several
   * pipelines that share a `delivery` the first to be asked emits to what they have in common.
   */
  settle(ended: EndedCall, delivery: Delivery): Promise<UsageRecord | undefined> {
    const destinations: Destinations = {
      meters: this.#options.meters(),
      loggers: this.#options.loggers(),
      span: ended.span,
    };
    const targets = this.isUndecided(ended) ? undefined : delivery.claim(destinations);
    const way: Way = { ended, delivery, destinations, targets };
    const reported = usageAsReported(ended, this.#options.counting);
    if (reported !== undefined && this.#ready) {
      return Promise.resolve(this.#emit(way, reported));
    }
    const emitted = this.#emitLater(way, reported);
    this.#pending.add(emitted);
    return emitted.finally(() => this.#pending.delete(emitted));
  }

  async #emitLater(way: Way, reported: FilledUsage | undefined): Promise<UsageRecord | undefined> {
    const { counting, counter } = this.#options;
    this.#waiting.set(way, reported ?? asReported(way.ended));
    const prepared = this.#prepare();
    const filled = reported ?? (await fillUsage(way.ended, counting, counter));
    await prepared;
    return this.#waiting.delete(way) ? this.#emit(way, filled) : undefined;
  }

  #prepare(): Promise<void> | undefined {
    this.#preparing ??= this.#options.prepare?.().then(() => {
      this.#ready = true;
    });
    return this.#preparing;
  }

  /**
   * For the very end of the process: emits what waits, without counts that are not made and costs whose
   * prices are not loaded. A record that lacks them is better than none.
   */
  emitWaiting(): void {
    for (const [way, reported] of this.#waiting) {
      this.#waiting.delete(way);
      this.#emit(way, reported);
    }
  }

  /** Resolves when every call that has ended by now is emitted. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  #emit(way: Way, filled: FilledUsage): UsageRecord | undefined {
    const { ended, delivery, destinations, targets } = way;
    let record: UsageRecord;
    try {
      record = buildRecord(ended, filled, delivery.ids(ended), this.#options);
    } catch (error) {
      if (targets?.span ?? delivery.claimSpan(ended.span)) closeUnrecorded(ended);
      return failedQuietly('making a usage record', error);
    }
    if (targets) return this.#publish(record, ended, targets);
    // A native span of the SDK does not wait for the decision.
    if (ended.spanIsForeign && delivery.claimSpan(ended.span)) closeUnrecorded(ended);
    const kept = this.#options.captureContent ? ended : withoutContent(ended);
    this.held.take({ record, ended: kept, destinations, delivery });
    return record;
  }

  /** Each step has its own `catch`: one that fails takes no other with it. */
  #publish(record: UsageRecord, ended: EndedCall, targets: Targets): UsageRecord {
    const { captureContent, generations, onUsage } = this.#options;
    if (targets.span) {
      const content =
        captureContent && ended.span.isRecording()
          ? quietly('capturing content', () => contentAttributes(ended, generations))
          : undefined;
      quietly('ending a span', () => emitSpan(record, ended, generations, content));
    }
    for (const meter of targets.meters) {
      quietly('recording metrics', () => this.#metrics.record(meter, record, ended));
    }
    for (const logger of targets.loggers) {
      quietly('emitting a usage event', () => emitEvent(logger, record, ended, generations));
      if (hasFailed(record)) {
        quietly('emitting an exception', () => emitException(logger, record, ended, generations));
      }
    }
    if (onUsage !== undefined) callQuietly('calling onUsage', () => onUsage(record));
    return record;
  }

  #publishWithoutTokens(ended: EndedCall, targets: Targets, delivery: Delivery): void {
    const withoutTokens = { ...ended, tokenStatistics: false };
    const filled = { usage: {}, tokenSource: undefined };
    try {
      const record = buildRecord(withoutTokens, filled, delivery.ids(ended), this.#options);
      this.#publish(record, withoutTokens, targets);
    } catch (error) {
      failedQuietly('making a usage record', error);
    }
  }
}

function countDropped({ destinations, delivery }: HeldRecord): void {
  const description = 'Records that were dropped before they were emitted';
  for (const meter of delivery.claimDrop(destinations.meters)) {
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
