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
import { settledAttributes, type ResourceLike } from './otel/settled-resource.ts';
import { CurrentTelemetry, SCOPE, type Telemetry } from './otel/telemetry.ts';
import { BackgroundCounter } from './tokens/background.ts';
import { setModelAliases } from './tokens/models.ts';
import { Prices } from './prices/prices.ts';
import { UsagePipeline } from './usage/usage-pipeline.ts';
import type { UsageRecord } from './domain/usage-record.ts';

/** Everything between a call and its record: one in a process, shared by all ways to meter a call. */
export class Metering {
  readonly calls: CallMeter;
  readonly prices: Prices;
  readonly #telemetry: Telemetry;
  readonly #pipeline: UsagePipeline;
  #enabled: boolean;
  #tokenStatistics: boolean;

  /** Throws `TokenMeterError` `INVALID_OPTION` for a wrong option; wrong environment values are told. */
  constructor(options: TokenMeterOptions, telemetry: Telemetry) {
    const config = resolveOptions(options);
    this.#enabled = config.metrics.enabled;
    this.#tokenStatistics = config.metrics.tokenStatistics;
    if (config.modelAliases !== undefined) setModelAliases(config.modelAliases);
    const prices = (this.prices = new Prices(
      config.pricesFile === undefined ? {} : { overridesFile: config.pricesFile },
    ));
    this.#telemetry = telemetry;
    this.#pipeline = new UsagePipeline({
      ...telemetry,
      service: serviceOf,
      counting: config.counting,
      captureContent: config.captureContent,
      generations: generationsOf(config.metricNames),
      metricAttributes: config.metricAttributes,
      userIdHashKey: config.userIdHashKey,
      priceOf: (record) => prices.price(record),
      ready: prices
        .load()
        .catch((error: unknown) => diag.error(`${SCOPE}: ${String((error as Error).message)}`)),
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

  settle(ended: EndedCall): Promise<UsageRecord | undefined> {
    return this.#pipeline.settle(ended);
  }

  /**
   * Ends replies nobody has begun to read, and resolves when all ended calls are emitted and the
   * exporters of the ledger have them. Rejects when an exporter does.
   */
  async flush(): Promise<void> {
    this.calls.open.abandonUnread();
    this.calls.background.abandonAll();
    await this.#pipeline.idle();
    await this.#telemetry.flush?.();
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
  const told = describeProblems(problems);
  if (told !== undefined) warnHost('INVALID_CONFIG', told);
  return values;
}

function generationsOf(names: TokenMeterConfig['metricNames']): readonly SemconvGeneration[] {
  return names === 'both' ? ['v1_41', 'latest'] : [names];
}

let lastService: string | undefined;

/** The span's resource; a span that is not recorded has none, so the last one seen stands in. */
function serviceOf(span: Span): string {
  const { resource } = span as { readonly resource?: ResourceLike };
  const name = resource === undefined ? undefined : settledAttributes(resource)['service.name'];
  if (typeof name === 'string' && name !== '') lastService = name;
  return lastService ?? process.env['OTEL_SERVICE_NAME'] ?? 'unknown_service';
}

/** What is asked of the metering in force. */
export type MeteringInForce = Pick<Metering, 'calls' | 'enabled' | 'settle' | 'flush'>;

interface Installed {
  readonly metering: MeteringInForce;
  readonly isEnabled: () => boolean;
}

/** One a process: patches, wrappers and manual records all report to the instrumentation made last. */
let installed: Installed | undefined;

export function installMetering(metering: MeteringInForce, isEnabled: () => boolean): void {
  installed = { metering, isEnabled };
}

/** For patched SDKs, asked on every call: undefined while no instrumentation is enabled. */
export function currentCallMeter(): CallMeter | undefined {
  return installed?.isEnabled() === true ? installed.metering.calls : undefined;
}

/** Whether a call made now is to be metered, as the switches stand. */
export function isMetering(): boolean {
  return installed?.isEnabled() === true && installed.metering.enabled;
}

/**
 * For calls metered by hand: without an instrumentation, one with options from the environment is made
 * that reports to the global OpenTelemetry providers.
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
 * Resolves when every call that has ended is counted, emitted and durable in the exporters. Ends
 * streams that arrived and that nobody has begun to read. Never rejects.
 */
export async function flush(): Promise<void> {
  try {
    await installed?.metering.flush();
  } catch (error) {
    failedQuietly('flushing', error);
  }
}
