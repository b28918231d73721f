import { diag, type Span } from '@opentelemetry/api';
import { CallMeter } from './call/call-meter.ts';
import { systemClock } from './call/clock.ts';
import type { EndedCall } from './domain/ended-call.ts';
import { describeProblems, resolveConfig, type TokenMeterConfig } from './config/index.ts';
import { TokenMeterError } from './errors.ts';
import { warnHost } from './host/host-warning.ts';
import { packageVersion } from './host/package-version.ts';
import { failedQuietly, quietly } from './host/quietly.ts';
import type { LiveSettings, TokenMeterOptions } from './options.ts';
import type { SemconvGeneration } from './otel/semconv.ts';
import { resolvedAttributes, type ResourceLike } from './otel/resolved-resource.ts';
import { CurrentTelemetry, SCOPE, type Telemetry } from './otel/telemetry.ts';
import { BackgroundCounter } from './tokens/background.ts';
import { setModelAliases } from './tokens/models.ts';
import { Prices, type PriceSource } from './prices/prices.ts';
import { UsagePipeline } from './usage/usage-pipeline.ts';
import type { UsageRecord } from './domain/usage-record.ts';

/**
 * Everything between a call and its record. One per process, shared by all ways to meter a call.
 */
export class Metering {
  readonly calls: CallMeter;
  readonly #prices: Prices;
  #pricesLoading: Promise<void> | undefined;
  readonly #telemetry: Telemetry;
  readonly #pipeline: UsagePipeline;
  #enabled: boolean;
  #tokenStatistics: boolean;

  /**
   * Throws `TokenMeterError` `INVALID_OPTION` for an invalid option. Invalid environment values are
   * logged.
   */
  constructor(options: TokenMeterOptions, telemetry: Telemetry) {
    const config = resolveOptions(options);
    this.#enabled = config.metrics.enabled;
    this.#tokenStatistics = config.metrics.tokenStatistics;
    if (config.modelAliases !== undefined) setModelAliases(config.modelAliases);
    this.#prices = new Prices(
      config.pricesFile === undefined ? {} : { overridesFile: config.pricesFile },
    );
    // A wrong file is reported at the start; the list alone takes 12 MB that a process without
    // calls saves.
    if (config.pricesFile !== undefined) void this.#loadPrices();
    this.#telemetry = telemetry;
    this.#pipeline = new UsagePipeline({
      ...telemetry,
      service: serviceOf,
      counting: config.counting,
      captureContent: config.captureContent,
      generations: generationsOf(config.metricNames),
      metricAttributes: config.metricAttributes,
      userIdHashKey: config.userIdHashKey,
      priceOf: (record) => this.#prices.price(record),
      prepare: () => this.#loadPrices(),
      counter: new BackgroundCounter(),
      onUsage: options.onUsage,
    });
    this.calls = new CallMeter({
      clock: systemClock,
      tracer: telemetry.tracer,
      switches: () => ({ enabled: this.#enabled, tokenStatistics: this.#tokenStatistics }),
      keepContent: config.counting !== 'never' || config.captureContent,
      requestIdentity: config.requestIdentity,
      nativeSpans: config.nativeSpans,
      chunkTimes: config.chunkTimes,
      onEnd: (ended) => void this.settle(ended),
    });
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  get tokenStatistics(): boolean {
    return this.#tokenStatistics;
  }

  applySettings({ enabled, tokenStatistics }: LiveSettings): void {
    if (typeof enabled === 'boolean') this.#enabled = enabled;
    if (typeof tokenStatistics === 'boolean') this.#tokenStatistics = tokenStatistics;
  }

  /** Undefined until they are loaded, which being asked for begins. */
  get priceSource(): PriceSource | undefined {
    void this.#loadPrices();
    return this.#prices.source;
  }

  settle(ended: EndedCall): Promise<UsageRecord | undefined> {
    return this.#pipeline.settle(ended);
  }

  /**
   * Ends streams that nobody has started to read. Resolves when all ended calls are emitted and the
   * exporters of the ledger have them. Rejects when an exporter does.
   */
  async flush(): Promise<void> {
    this.calls.open.abandonUnread();
    this.calls.background.abandonAll();
    await this.#pipeline.idle();
    await this.#telemetry.flush?.();
  }

  #loadPrices(): Promise<void> {
    this.#pricesLoading ??= this.#prices
      .load()
      .catch((error: unknown) => diag.error(`${SCOPE}: ${String((error as Error).message)}`));
    return this.#pricesLoading;
  }
}

function resolveOptions(options: TokenMeterOptions): TokenMeterConfig {
  const { enabled, tokenStatistics, onUsage: _onUsage, ...rest } = options;
  const { values, problems } = resolveConfig({
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
  const message = describeProblems(problems);
  if (message !== undefined) warnHost('INVALID_CONFIG', message);
  return values;
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

/** State of the active metering. */
export type MeteringInForce = Pick<Metering, 'calls' | 'enabled' | 'settle' | 'flush'>;

interface Installed {
  readonly metering: MeteringInForce;
  readonly isEnabled: () => boolean;
}

/**
 * One per process: patches, wrappers and manual records report to the instrumentation created last.
 */
let installed: Installed | undefined;

export function installMetering(metering: MeteringInForce, isEnabled: () => boolean): void {
  installed = { metering, isEnabled };
}

/** For patched SDKs, queried on every call: `undefined` while no instrumentation is enabled. */
export function currentCallMeter(): CallMeter | undefined {
  return installed?.isEnabled() === true ? installed.metering.calls : undefined;
}

/** Whether the current settings meter a call made now. */
export function isMetering(): boolean {
  return installed?.isEnabled() === true && installed.metering.enabled;
}

/**
 * For calls metered manually. Without an instrumentation, creates one with options from the
 * environment that reports to the global OpenTelemetry providers.
 */
export function currentMetering(): MeteringInForce | undefined {
  if (installed === undefined) {
    const metering = quietly(
      'starting',
      () => new Metering({}, new CurrentTelemetry(packageVersion())),
    );
    if (metering === undefined) return undefined;
    installed = { metering, isEnabled: () => true };
  }
  return installed.isEnabled() ? installed.metering : undefined;
}

/**
 * Resolves when every ended call is counted, emitted and durable in the exporters. Ends streams
 * that nobody has started to read. Never rejects.
 */
export async function flush(): Promise<void> {
  try {
    await installed?.metering.flush();
  } catch (error) {
    failedQuietly('flushing', error);
  }
}
