import { context, createNoopMeter, type Logger } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { CallMeter } from '../../src/call/call-meter.ts';
import { systemClock } from '../../src/call/clock.ts';
import { currentCallMeter, installMetering } from '../../src/metering.ts';
import { BackgroundCounter } from '../../src/tokens/background.ts';
import { UsagePipeline } from '../../src/usage/usage-pipeline.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';

export interface Metering {
  /** What a patch asks on every call: undefined while metering is off. */
  readonly current: () => CallMeter | undefined;
  on(): void;
  off(): void;
  /** The second switch; on at first. */
  tokenStatistics(on: boolean): void;
  /** Records since the last `take`. */
  readonly recorded: number;
  /** Spans ended since the last `take`. */
  readonly ended: number;
  /** Replies that arrived and nobody has begun to read. */
  readonly unread: number;
  /** Records and ended spans since the last `take`, every unread reply ended, every count done. */
  take(): Promise<{
    readonly records: readonly UsageRecord[];
    readonly spans: readonly ReadableSpan[];
    /** Spans begun: one that was never ended is none of `spans`. */
    readonly started: number;
  }>;
  /** Gives the spans that `take` returns; not registered globally. */
  readonly provider: TracerProvider;
  close(): void;
}

const SILENT: Logger = { emit: () => undefined, enabled: () => false };

export interface MeteringOptions {
  readonly nativeSpans?: 'enrich' | 'separate';
  readonly requestIdentity?: 'never' | 'plain' | 'all';
}

/** The life of calls from patch to record, without the instrumentation around it. */
export function startMetering({
  nativeSpans = 'separate',
  requestIdentity = 'plain',
}: MeteringOptions = {}): Metering {
  const exporter = new InMemorySpanExporter();
  let started = 0;
  const counting: SpanProcessor = {
    onStart: () => (started += 1),
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter }), counting],
  });
  const contexts = new AsyncLocalStorageContextManager();
  contexts.enable();
  context.setGlobalContextManager(contexts);
  const records: UsageRecord[] = [];
  const counter = new BackgroundCounter();
  const pipeline = new UsagePipeline({
    meter: createNoopMeter,
    logger: () => SILENT,
    service: () => 'conformance',
    counting: 'missing',
    captureContent: false,
    generations: ['v1_41'],
    metricAttributes: [],
    userIdHashKey: undefined,
    priceOf: () => undefined,
    counter,
    onUsage: (record) => records.push(record),
  });
  let tokenStatistics = true;
  let isOn = false;
  const meter = new CallMeter({
    clock: systemClock,
    tracer: () => provider.getTracer('conformance'),
    switches: () => ({ enabled: true, tokenStatistics }),
    keepContent: true,
    requestIdentity,
    nativeSpans,
    chunkTimes: 'mean',
    onEnd: (ended) => void pipeline.settle(ended),
  });
  // Copies of an SDK are patched once a process, by whichever test came first: all of them ask this.
  const install = (): void =>
    installMetering(
      {
        calls: meter,
        enabled: true,
        settle: (ended) => pipeline.settle(ended),
        flush: () => pipeline.idle(),
      },
      () => isOn,
    );
  install();
  return {
    current: currentCallMeter,
    on() {
      isOn = true;
      install();
    },
    off: () => (isOn = false),
    tokenStatistics: (on) => (tokenStatistics = on),
    get recorded() {
      return records.length;
    },
    get ended() {
      return exporter.getFinishedSpans().length;
    },
    get unread() {
      return meter.open.unread;
    },
    async take() {
      meter.open.abandonUnread();
      meter.background.abandonAll();
      await pipeline.idle();
      await provider.forceFlush();
      const taken = { records: records.splice(0), spans: exporter.getFinishedSpans(), started };
      started = 0;
      exporter.reset();
      return taken;
    },
    provider,
    close() {
      context.disable();
    },
  };
}
