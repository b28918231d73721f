import { isDeepStrictEqual } from 'node:util';
import { diag, type Span } from '@opentelemetry/api';
import { CallMeter } from './call/call-meter.ts';
import { systemClock } from './call/clock.ts';
import type { Audience } from './call/call-start.ts';
import { slicedWorkDone } from './call/sliced-work.ts';
import type { EndedCall } from './domain/ended-call.ts';
import { describeProblems, resolveConfig, type TokenMeterConfig } from './config/index.ts';
import { TokenMeterError } from './errors.ts';
import { warnHost } from './host/host-warning.ts';
import { packageVersion } from './host/package-version.ts';
import { failedQuietly, quietly } from './host/quietly.ts';
import type { LiveSettings, TokenMeterOptions } from './options.ts';
import { SCHEMA_URL, type SemconvGeneration } from './otel/semconv.ts';
import { resolvedAttributes, type ResourceLike } from './otel/resolved-resource.ts';
import { CurrentTelemetry, SCOPE, type Telemetry } from './otel/telemetry.ts';
import { BackgroundCounter } from './tokens/background.ts';
import { setModelAliases } from './tokens/models.ts';
import { LivePrices } from './prices/live-prices.ts';
import type { PriceSource } from './prices/prices.ts';
import { Delivery } from './usage/delivery.ts';
import type { HeldStatus } from './usage/held-records.ts';
import { UsagePipeline } from './usage/usage-pipeline.ts';
import type { UsageRecord } from './domain/usage-record.ts';

type Recorded = Promise<UsageRecord | undefined>;

/** Everything between a call and its record, for one instrumentation. */
export class Metering {
  readonly calls: CallMeter<Recorded>;
  readonly keepContent: boolean;
  readonly #resolved: ResolvedOptions;
  /** Whether `enabled: false` of the options holds; nothing else has decided yet. */
  #isOffByOption: boolean;
  readonly #prices: LivePrices;
  readonly #telemetry: Telemetry;
  readonly #pipeline: UsagePipeline;
  #enabled: boolean;
  #tokenStatistics: boolean;

  /**
   * Throws `TokenMeterError` `INVALID_OPTION` for an invalid option. Invalid environment values are
   * logged. `declared` is our block as an SDK hands it over.
   */
  constructor(options: TokenMeterOptions, telemetry: Telemetry, declared?: DeclaredNode) {
    const { config, isCountingChosen } = resolveOptions(options, declared);
    this.#resolved = { config, isCountingChosen };
    this.#isOffByOption = options.enabled === false;
    this.#enabled = config.metrics.enabled;
    this.#tokenStatistics = config.metrics.tokenStatistics;
    if (config.modelAliases !== undefined) setModelAliases(config.modelAliases);
    this.#prices = new LivePrices({
      ...config.prices,
      pricesFile: config.pricesFile,
      onProblem: (message) => diag.error(`${SCOPE}: ${message}`),
    });
    // A wrong file is reported at the start; the list alone takes 12 MB that a process without
    // calls saves.
    if (config.pricesFile !== undefined) void this.#prices.load();
    this.#telemetry = telemetry;
    const generations = generationsOf(config.metricNames);
    const [generation, ...more] = generations;
    telemetry.useSchema?.(
      generation === undefined || more.length > 0 ? undefined : SCHEMA_URL[generation],
    );
    this.#pipeline = new UsagePipeline({
      ...telemetry,
      service: serviceOf,
      counting: config.counting,
      captureContent: config.captureContent,
      generations,
      metricAttributes: config.metricAttributes,
      metricsWithCounted: isCountingChosen,
      userIdHashKey: config.userIdHashKey,
      priceOf: (record) => this.#prices.price(record),
      prepare: () => this.#prices.load(),
      counter: new BackgroundCounter(),
      onUsage: options.onUsage,
    });
    this.calls = new CallMeter({
      clock: systemClock,
      tracer: telemetry.tracer,
      audience: currentAudience,
      requestIdentity: config.requestIdentity,
      nativeSpans: config.nativeSpans,
      chunkTimes: config.chunkTimes,
    });
    this.keepContent = config.counting !== 'never' || config.captureContent;
  }

  get config(): TokenMeterConfig {
    return this.#resolved.config;
  }

  isLike(other: Metering): boolean {
    return isDeepStrictEqual(this.#resolved, other.#resolved);
  }

  onCall(): void {
    this.#telemetry.onCall?.();
  }

  /** True also while records are held, since the decision may be that calls are recorded. */
  get enabled(): boolean {
    return this.#enabled || this.#pipeline.held.isHolding;
  }

  get held(): HeldStatus {
    return this.#pipeline.held.status;
  }

  get tokenStatistics(): boolean {
    return this.#tokenStatistics || this.#pipeline.held.isHolding;
  }

  /** Takes back `enabled: false` of the options, but no decision of the environment or a store. */
  enable(): void {
    if (this.#isOffByOption) this.#enabled = true;
    this.#isOffByOption = false;
  }

  /** Continues with the switches of another one. */
  takeSwitches(former: Metering): void {
    this.#enabled = former.#enabled;
    this.#tokenStatistics = former.#tokenStatistics;
    this.#isOffByOption = former.#isOffByOption;
    if (former.#pipeline.held.isHolding) this.#pipeline.held.hold();
  }

  applySettings({ enabled, tokenStatistics, hold }: LiveSettings): void {
    if (typeof enabled === 'boolean') {
      this.#enabled = enabled;
      this.#isOffByOption = false;
    }
    if (typeof tokenStatistics === 'boolean') this.#tokenStatistics = tokenStatistics;
    if (hold === true) this.#pipeline.held.hold();
    else if (hold === false) {
      const decision = { enabled: this.#enabled, tokenStatistics: this.#tokenStatistics };
      this.#pipeline.held.decide(decision);
    }
  }

  /** Undefined until they are loaded, which being asked for begins. */
  get priceSource(): PriceSource | undefined {
    void this.#prices.load();
    return this.#prices.source;
  }

  isUndecided(ended: EndedCall): boolean {
    return this.#pipeline.isUndecided(ended);
  }

  settle(ended: EndedCall, delivery: Delivery): Recorded {
    return this.#pipeline.settle(ended, delivery);
  }

  /** For the very end of the process, synchronously: no call that has begun is left without a record. */
  endNow(): void {
    this.calls.open.closeAll();
    this.#pipeline.emitWaiting();
  }

  /**
   * Resolves when all ended calls are emitted and the exporters of the ledger have them. Rejects when
   * an exporter does.
   */
  async flush(): Promise<void> {
    await this.#pipeline.idle();
    await this.#telemetry.flush?.();
  }

  /** Resolves when all ended calls are emitted and spans, metrics and events are sent. */
  async deliver(): Promise<void> {
    await this.#pipeline.idle();
    await this.#telemetry.deliver?.();
  }
}

type DeclaredNode = Readonly<Record<string, unknown>>;

interface ResolvedOptions {
  readonly config: TokenMeterConfig;
  /** Somebody has set `counting`: only then may metrics have counted tokens. */
  readonly isCountingChosen: boolean;
}

function resolveOptions(options: TokenMeterOptions, declared?: DeclaredNode): ResolvedOptions {
  const { enabled, tokenStatistics, onUsage: _onUsage, ...rest } = options;
  const { values, settings, problems } = resolveConfig({
    declared,
    code: { ...rest, metrics: { enabled, tokenStatistics } },
  });
  const wrong = problems.find((problem) => problem.source === 'code');
  if (wrong !== undefined) {
    const name = wrong.key.replace(/^metrics\./, '');
    throw new TokenMeterError(
      'INVALID_OPTION',
      `TokenMeterInstrumentation: ${name} is ${JSON.stringify(wrong.value)}; allowed: ${wrong.allowed}`,
      { value: wrong.value, allowed: wrong.allowed },
    );
  }
  const report = describeProblems(problems);
  if (report !== undefined) warnHost('INVALID_CONFIG', report);
  const counting = settings.find(({ setting }) => setting.key === 'counting');
  const isCountingChosen = counting !== undefined && counting.origin.from !== 'default';
  return { config: values, isCountingChosen };
}

function generationsOf(names: TokenMeterConfig['metricNames']): readonly SemconvGeneration[] {
  return names === 'both' ? ['v1_41', 'latest'] : [names];
}

let lastService: string | undefined;

/** Resource of the span. A non-recording span has none, so the last known one is used. */
function serviceOf(span: Span): string {
  const { resource } = span as { readonly resource?: ResourceLike };
  const name = resource === undefined ? undefined : resolvedAttributes(resource)['service.name'];
  if (typeof name === 'string' && name !== '') lastService = name;
  return lastService ?? process.env['OTEL_SERVICE_NAME'] ?? 'unknown_service';
}

/** What is asked of a metering in force. */
export type MeteringInForce = Pick<
  Metering,
  | 'calls'
  | 'enabled'
  | 'tokenStatistics'
  | 'keepContent'
  | 'onCall'
  | 'isUndecided'
  | 'settle'
  | 'flush'
  | 'deliver'
  | 'endNow'
>;

interface Installed {
  readonly metering: MeteringInForce;
  readonly isEnabled: () => boolean;
  readonly isStandIn?: boolean;
}

/**
 * Patches, wrappers and manual records report to all of them: the preload and an instrumentation of
 * the application get every record alike. The newest one leads: spans and the reading of calls are as
 * its options say. Disabled, it leaves both to the one before.
 */
let installed: readonly Installed[] = [];

const COPY = Symbol.for('otel-token-meter.copy');

/** Patches and the registration with the AI SDK are made once a process, by the copy that came first. */
function noteCopy(): void {
  const first = globalThis as { [COPY]?: typeof installMetering };
  first[COPY] ??= installMetering;
  if (first[COPY] === installMetering) return;
  warnHost(
    'TOKEN_METER_TWO_COPIES',
    'two copies of otel-token-meter are in this process, such as one from --import and one in a ' +
      'bundle: calls are recorded only by the copy that sees or patches their SDK first. Make the ' +
      'package external in the bundler',
  );
}

/** Before the listeners of exporters, which save what they have then. */
function onExit(): void {
  for (const { metering } of installed) quietly('ending', () => metering.endNow());
}

export function installMetering(metering: MeteringInForce, isEnabled: () => boolean): void {
  noteCopy();
  if (!process.listeners('exit').includes(onExit)) process.prependListener('exit', onExit);
  const others = installed.filter((other) => other.metering !== metering && !other.isStandIn);
  installed = [{ metering, isEnabled }, ...others];
}

/** New calls are for `next`. Those of `former` that run are still its own, as is what waits in it. */
export function replaceMetering(former: MeteringInForce, next: MeteringInForce): void {
  installed = [
    ...installed.map((one) => (one.metering === former ? { ...one, metering: next } : one)),
    { metering: former, isEnabled: () => false },
  ];
}

/** For patched SDKs, asked on every call: undefined while no instrumentation is enabled. */
export function currentCallMeter(): CallMeter<Recorded> | undefined {
  return installed.find(({ isEnabled }) => isEnabled())?.metering.calls;
}

/** All that a call made now is recorded for, as the switches stand. */
export function currentAudience(): Audience<Recorded> | undefined {
  const members = installed
    .filter(({ metering, isEnabled }) => isEnabled() && metering.enabled)
    .map(({ metering }) => ({ metering, tokenStatistics: metering.tokenStatistics }));
  if (members.length === 0) return undefined;
  for (const { metering } of members) metering.onCall();
  const tokenStatistics = members.some((member) => member.tokenStatistics);
  return {
    tokenStatistics,
    keepContent: tokenStatistics && members.some(({ metering }) => metering.keepContent),
    onEnd(ended) {
      const delivery = new Delivery();
      const settle = ({ metering, tokenStatistics }: Member): Recorded =>
        metering.settle(
          tokenStatistics === ended.tokenStatistics ? ended : { ...ended, tokenStatistics },
          delivery,
        );
      const [record] = undecidedLast(members, ended).map(settle);
      return record ?? Promise.resolve(undefined);
    },
  };
}

interface Member {
  readonly metering: MeteringInForce;
  readonly tokenStatistics: boolean;
}

/** What they have in common must not wait for those that do not know yet. */
function undecidedLast(members: readonly Member[], ended: EndedCall): readonly Member[] {
  if (members.length === 1) return members;
  return members.toSorted(
    (a, b) => Number(a.metering.isUndecided(ended)) - Number(b.metering.isUndecided(ended)),
  );
}

/** Whether the current settings meter a call made now. */
export function isMetering(): boolean {
  return installed.some(({ metering, isEnabled }) => isEnabled() && metering.enabled);
}

/**
 * For calls metered manually. Without an instrumentation, creates one with options from the
 * environment that reports to the global OpenTelemetry providers.
 */
export function callMeterByHand(): CallMeter<Recorded> | undefined {
  if (installed.length === 0) {
    const metering = quietly(
      'starting',
      () => new Metering({}, new CurrentTelemetry(packageVersion())),
    );
    if (metering === undefined) return undefined;
    noteCopy();
    installed = [{ metering, isEnabled: () => true, isStandIn: true }];
  }
  return currentCallMeter();
}

/**
 * Resolves when every call that has ended is counted, emitted and durable in the exporters. Calls that
 * run go on. Never rejects.
 */
export async function flush(): Promise<void> {
  await slicedWorkDone();
  const flushed = await Promise.allSettled(
    installed.map(async ({ metering }) => await metering.flush()),
  );
  for (const result of flushed) {
    if (result.status === 'rejected') failedQuietly('flushing', result.reason);
  }
}

/** As long as a person waits for a reply. */
export const DELIVER_WITHIN_MS = 3000;

/**
 * For hosts that stop the process between two requests, such as AWS Lambda and Vercel: resolves when
 * every call that has ended is recorded, and its span, metrics and event are sent, or `timeoutMs` have
 * passed (default 3000). Never rejects. Where the process goes on, `flush()` and the exporters' own
 * intervals are enough.
 */
export async function deliver({
  timeoutMs = DELIVER_WITHIN_MS,
}: DeliverOptions = {}): Promise<void> {
  const all = async (): Promise<void> => {
    await slicedWorkDone();
    await Promise.allSettled(installed.map(async ({ metering }) => await metering.deliver()));
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([all(), late]);
  clearTimeout(timer);
}

export interface DeliverOptions {
  /** @default 3000 */
  readonly timeoutMs?: number;
}

/**
 * For the end of the process: ends every open call as `aborted`, with what was received of its reply,
 * and flushes. Never rejects.
 */
export async function shutdown(): Promise<void> {
  for (const { metering } of installed) metering.calls.open.closeAll();
  await flush();
}
