import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { LoggerProvider } from '@opentelemetry/api-logs';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
} from '@opentelemetry/instrumentation';
import { scopeOf } from './call/claims.ts';
import { activeContext } from './context.ts';
import { quietly, warnOnce } from './host/quietly.ts';
import { currentCallMeter, installMetering, isMetering } from './metering.ts';
import { warnHost } from './host/host-warning.ts';
import { installLoaderHook } from './host/loader-hook.ts';
import { Metering } from './metering.ts';
import type { LiveSettings, TokenMeterOptions } from './options.ts';
import { packageVersion } from './host/package-version.ts';
import type { PatchOutcome, SdkPatch } from './providers/sdk-patch.ts';
import { sdkPatches } from './providers/sdk-patches.ts';
import { registerAiSdkTelemetry } from './providers/vercel-ai/telemetry-integration.ts';
import { CurrentTelemetry, SCOPE, type Destination } from './otel/telemetry.ts';
import type { PriceSource } from './prices/prices.ts';
import { watchUnmeteredCalls } from './host/unmetered-calls.ts';

const VERSION = packageVersion();

/**
 * Meters every call of the known LLM SDKs in this process. Options are not passed to the base class
 * as configuration, because the SDK enables instrumentations that have `enabled: false` there.
 */
export class TokenMeterInstrumentation extends InstrumentationBase {
  readonly #telemetry: CurrentTelemetry;
  readonly #metering: Metering;

  /** Throws `TokenMeterError` `INVALID_OPTION` for an invalid option. */
  constructor(options: TokenMeterOptions = {}) {
    super(SCOPE, VERSION, {});
    this.#telemetry = new CurrentTelemetry(VERSION);
    try {
      this.#metering = new Metering(options, this.#telemetry);
    } catch (error) {
      // The base class has begun to listen for SDKs already; what cannot be must not patch them.
      this.disable();
      throw error;
    }
    installMetering(this.#metering, () => this.isEnabled());
    registerAiSdkTelemetry(currentCallMeter);
    installLoaderHook(moduleNames());
    watchUnmeteredCalls({
      isMetering,
      isWatched: () => scopeOf(activeContext()) !== undefined,
    });
  }

  /** Called by the constructor of the base class, before the fields of this class exist. */
  protected override init(): InstrumentationNodeModuleDefinition[] {
    return sdkPatches.map((sdk) => {
      const patched = (exports: unknown, version: string | undefined): unknown => {
        patch(sdk, exports, version);
        return exports;
      };
      // Match every version, so that an untested one is never skipped silently.
      const versions = ['*'];
      const { moduleName, file } = sdk;
      if (file === undefined) {
        return withPrereleases(
          new InstrumentationNodeModuleDefinition(moduleName, versions, patched),
        );
      }
      const inside = new InstrumentationNodeModuleFile(
        `${moduleName}/${file}`,
        versions,
        patched,
        () => undefined,
      );
      return withPrereleases(
        new InstrumentationNodeModuleDefinition(moduleName, versions, undefined, undefined, [
          inside,
        ]),
      );
    });
  }

  override setTracerProvider(provider: TracerProvider): void {
    this.#telemetry.useTracers(provider);
  }

  override setMeterProvider(provider: MeterProvider): void {
    this.#telemetry.useMeters(provider);
  }

  override setLoggerProvider(provider: LoggerProvider): void {
    this.#telemetry.useLoggers(provider);
  }

  /**
   * Sends metrics and usage records there too, besides the providers of the API.
   * @internal
   */
  addDestination(destination: Destination): void {
    this.#telemetry.addDestination(destination);
  }

  /** Takes effect with the next call; a running call keeps its state. Never throws. */
  applySettings(settings: LiveSettings): void {
    this.#metering.applySettings(settings);
  }

  /** Current state of the live switches. */
  get settings(): Required<LiveSettings> {
    const { enabled, tokenStatistics } = this.#metering;
    return { enabled, tokenStatistics };
  }

  /** Source of the prices; `undefined` until they are loaded. Reading it starts the loading. */
  get priceSource(): PriceSource | undefined {
    return this.#metering.priceSource;
  }

  /**
   * Patches an SDK that module hooks cannot intercept, as in a bundled application:
   * `instrumentation.instrument('openai', OpenAI)`. `moduleExports` is the module namespace of the
   * package, or its client class. Returns false when the name is unknown or the shape does not fit.
   */
  instrument(moduleName: string, moduleExports: unknown): boolean {
    const sdk = sdkPatches.find((candidate) => candidate.moduleName === moduleName);
    if (sdk === undefined) {
      const names = sdkPatches.map((known) => known.moduleName).join(', ');
      warnOnce(
        `sdk ${moduleName}`,
        `there is no patch for ${moduleName}; there is one for ${names}`,
      );
      return false;
    }
    return patch(sdk, moduleExports, undefined) !== 'unfit';
  }

  /** Names of the packages that are patched when they are loaded. */
  static get moduleNames(): readonly string[] {
    return moduleNames();
  }
}

function moduleNames(): readonly string[] {
  return sdkPatches.map((sdk) => sdk.moduleName);
}

/** `*` alone would silently skip prereleases such as `8.0.0-beta.1`. */
function withPrereleases(
  definition: InstrumentationNodeModuleDefinition,
): InstrumentationNodeModuleDefinition {
  return Object.assign(definition, { includePrerelease: true });
}

function patch(sdk: SdkPatch, moduleExports: unknown, version: string | undefined): PatchOutcome {
  const outcome =
    quietly(`patching ${sdk.moduleName}`, () => sdk.patch(moduleExports, currentCallMeter)) ??
    'unfit';
  const label = version === undefined ? sdk.moduleName : `${sdk.moduleName} ${version}`;
  if (outcome === 'unfit') {
    warnHost('TOKEN_METER_UNFIT', `${label} has an unknown shape: its calls are not metered`);
  } else if (version !== undefined && !isTested(sdk, version)) {
    const [first, last] = sdk.testedMajors;
    warnHost(
      'TOKEN_METER_UNTESTED',
      `${label} is outside the tested majors ${first} to ${last}; it has the known shape and is metered`,
    );
  }
  return outcome;
}

function isTested({ testedMajors: [first, last] }: SdkPatch, version: string): boolean {
  const major = Number.parseInt(version, 10);
  return major >= first && major <= last;
}
