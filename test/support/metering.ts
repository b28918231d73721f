import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { BudgetedCalls } from '../../src/budgeted-calls.ts';
import { currentBudgets } from '../../src/budgets/budgets-in-force.ts';
import { StepMeter } from '../../src/agents/step-meter.ts';
import { CallMeter } from '../../src/call/call-meter.ts';
import type { CallLead } from '../../src/call/call-start.ts';
import { systemClock } from '../../src/call/clock.ts';
import {
  currentAudience,
  currentCallMeter,
  installMetering,
  type MeteringInForce,
} from '../../src/metering-in-force.ts';
import { BackgroundCounter } from '../../src/tokens/background.ts';
import { UsagePipeline } from '../../src/usage/usage-pipeline.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';

export interface Metering {
  /** Queried by patches on every call; `undefined` while metering is off. */
  readonly current: () => CallMeter | undefined;
  on(): void;
  off(): void;
  /** The second switch, initially on. */
  tokenStatistics(on: boolean): void;
  /** Records since the last `take`. */
  readonly recorded: number;
  /** Spans ended since the last `take`. */
  readonly ended: number;
  /** Replies that nobody has started to read. */
  readonly unread: number;
  /** Calls that have begun and not ended. */
  readonly open: number;
  /** Ends every open call, as the end of the process does. */
  shutdown(): void;
  /**
   * Records and ended spans since the last `take`, every count done. Open calls stay open. Without
   * `all` only a look: nothing is taken.
   */
  take(all?: boolean): Promise<{
    readonly records: readonly UsageRecord[];
    readonly spans: readonly ReadableSpan[];
    /** Number of started spans, including those that never ended. */
    readonly started: number;
  }>;
  /** Provider of the spans that `take` returns; not registered globally. */
  readonly provider: TracerProvider;
  close(): void;
}

export interface MeteringOptions {
  readonly nativeSpans?: 'enrich' | 'separate';
  readonly requestIdentity?: 'never' | 'plain' | 'all';
}

/** Everything from patch to record, without the instrumentation class. */
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
    meters: () => [],
    loggers: () => [],
    service: () => 'conformance',
    counting: 'missing',
    captureContent: false,
    generations: ['v1_41'],
    metricAttributes: [],
    metricsWithCounted: false,
    userIdHashKey: undefined,
    dimensions: [],
    priceOf: () => undefined,
    counter,
    onUsage: (record) => records.push(record),
  });
  let tokenStatistics = true;
  let isOn = false;
  const meter = new CallMeter<Promise<UsageRecord | undefined>>({
    clock: systemClock,
    audience: currentAudience,
  });
  const lead: CallLead = {
    tracer: () => provider.getTracer('conformance'),
    requestIdentity,
    nativeSpans,
    chunkTimes: 'mean',
    steps: new StepMeter({
      tracer: () => provider.getTracer('conformance'),
      generations: ['v1_41'],
      captureContent: false,
      nativeSpans,
      isEmitting: () => true,
    }),
  };
  // Copies of an SDK are patched once a process, by whichever test came first: all of them ask this.
  const inForce: MeteringInForce = {
    calls: meter,
    lead,
    switchesOf: () => ({ enabled: true, tokenStatistics }),
    keepContent: true,
    onCall: () => undefined,
    meters: () => [],
    budgets: (ofTokens) => currentBudgets() && new BudgetedCalls({ dimensions: [] }, ofTokens),
    isUndecided: (ended) => pipeline.isUndecided(ended),
    settle: (ended, delivery) => pipeline.settle(ended, delivery),
    flush: () => pipeline.idle(),
    deliver: () => pipeline.idle(),
    endNow: () => undefined,
  };
  const install = (): void => installMetering(inForce, () => isOn);
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
    get open() {
      return meter.open.size;
    },
    shutdown: () => meter.open.closeAll(),
    async take(all = true) {
      await pipeline.idle();
      await provider.forceFlush();
      if (!all) return { records: [...records], spans: exporter.getFinishedSpans(), started };
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
