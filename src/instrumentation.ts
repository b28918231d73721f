import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { LoggerProvider } from '@opentelemetry/api-logs';
import {
  InstrumentationBase,
  type InstrumentationNodeModuleDefinition,
} from '@opentelemetry/instrumentation';
import type { Budget } from './budgets/budget.ts';
import { callAround } from './call/claims.ts';
import { activeContext } from './context.ts';
import type { Switches } from './domain/switches.ts';
import { warnHost } from './host/host-warning.ts';
import { declaredNode, type ConfigProvider } from './config/index.ts';
import {
  currentAudience,
  currentCallMeter,
  installMetering,
  isMetering,
  replaceMetering,
} from './metering-in-force.ts';
import { installLoaderHook } from './host/loader-hook.ts';
import { Metering } from './metering.ts';
import { checkLiveSettings, type LiveSettings, type TokenMeterOptions } from './options.ts';
import { packageVersion } from './host/package-version.ts';
import { quietly } from './host/quietly.ts';
import {
  applyPatch,
  importNamesOf,
  moduleDefinitions,
  patchImported,
  patchStateOf,
} from './providers/apply-patch.ts';
import type { SdkPatch } from './providers/sdk-patch.ts';
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
  readonly #options: TokenMeterOptions;
  /** The first one is in force; calls of the others may still run. */
  #meterings: readonly [Metering, ...Metering[]];

  /** Throws `TokenMeterError` `INVALID_OPTION` for an invalid option. */
  constructor(options: TokenMeterOptions = {}) {
    super(SCOPE, VERSION, {});
    this.#telemetry = new CurrentTelemetry(VERSION);
    try {
      this.#options = options;
      this.#meterings = [new Metering(options, this.#telemetry, currentAudience)];
      this.#metering.useConfiguredBudgets(options.budgetStore);
    } catch (error) {
      // The base class has begun to listen for SDKs already; what cannot be must not patch them.
      this.disable();
      throw error;
    }
    installMetering(this.#metering, () => this.isEnabled());
    if (!this.#metering.config.enabled) this.disable();
    registerAiSdkTelemetry(currentCallMeter);
    installLoaderHook(moduleNames(), (name, moduleExports) => {
      const sdk = sdkOf(name);
      if (sdk !== undefined) patchImported(sdk, name, moduleExports, currentCallMeter);
    });
    watchUnmeteredCalls({
      isMetering,
      callAround: () => callAround(activeContext()),
      patchStateOf: (name) =>
        sdkOf(name) === undefined ? 'unknown' : (patchStateOf(name) ?? 'unseen'),
    });
  }

  /** Called by the constructor of the base class, before the fields of this class exist. */
  protected override init(): InstrumentationNodeModuleDefinition[] {
    return sdkPatches.flatMap((sdk) => moduleDefinitions(sdk, currentCallMeter));
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

  /**
   * Meters the calls that begin from now on, also after `enabled: false` in the options. Switches that
   * the environment or a settings store has set to off stay off.
   */
  override enable(): void {
    super.enable();
    // The constructor of the base class calls this before the fields of this class exist.
    if (#meterings in this) this.#metering.enable();
  }

  /**
   * For SDKs that hand a declarative configuration to instrumentations. Our block is taken over for
   * calls that begin from now on; options in code and environment variables take precedence. Never
   * throws: what is wrong in it is reported.
   */
  setConfigProvider(provider: ConfigProvider): void {
    quietly('reading the configuration of the SDK', () => {
      const declared = declaredNode(provider);
      if (declared === undefined) return;
      const former = this.#metering;
      const next = new Metering(this.#options, this.#telemetry, currentAudience, declared);
      if (!next.config.enabled) this.disable();
      if (next.isLike(former)) return;
      next.takeSwitches(former);
      this.#meterings = [next, ...this.#meterings];
      replaceMetering(former, next);
      next.useConfiguredBudgets(this.#options.budgetStore);
    });
  }

  /**
   * Takes effect with the next call; a running call keeps its state. Throws `TokenMeterError` `INVALID_OPTION` for what
   * cannot be switches, and then changes nothing.
   */
  applySettings(settings: LiveSettings): void {
    checkLiveSettings(settings);
    for (const metering of this.#meterings) metering.applySettings(settings);
  }

  /**
   * Replaces all budgets, for calls that begin from now on. What was spent stays spent where a budget goes on with the
   * same scope, window and unit. Budgets belong to the process: the last ones given to any instrumentation hold. Throws
   * `TokenMeterError` `INVALID_OPTION` for a wrong budget, and then changes nothing.
   */
  applyBudgets(budgets: readonly Budget[]): void {
    this.#metering.applyBudgets(budgets, this.#options.budgetStore);
  }

  get #metering(): Metering {
    return this.#meterings[0];
  }

  /** Current state of the live switches. */
  get settings(): Switches {
    const { enabled, tokenStatistics } = this.#metering.settings;
    return { enabled, tokenStatistics };
  }

  /**
   * The same for the calls of a team or service: their switches before those of all calls. `service` is by default
   * that of this process.
   */
  settingsFor({ team, service }: { readonly team?: string; readonly service?: string }): Switches {
    const { enabled, tokenStatistics } = this.#metering.switchesOf(
      () => team,
      service === undefined ? undefined : () => service,
    );
    return { enabled, tokenStatistics };
  }

  /** Records that wait for the settings store, and the number dropped for that reason. */
  get held(): { readonly held: number; readonly dropped: number } {
    const all = this.#meterings.map((metering) => metering.held);
    return {
      held: all.reduce((sum, { held }) => sum + held, 0),
      dropped: all.reduce((sum, { dropped }) => sum + dropped, 0),
    };
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
    const sdk = sdkOf(moduleName);
    if (sdk === undefined) {
      const names = sdkPatches.map((known) => known.moduleName).join(', ');
      warnHost(
        'TOKEN_METER_UNKNOWN_SDK',
        `there is no patch for ${moduleName}; there is one for ${names}`,
      );
      return false;
    }
    return applyPatch(sdk, moduleExports, currentCallMeter) !== 'unfit';
  }

  /** Names of the packages that are patched when they are loaded. */
  static get moduleNames(): readonly string[] {
    return moduleNames();
  }
}

function moduleNames(): readonly string[] {
  return sdkPatches.flatMap(importNamesOf);
}

/** By package, or by the name of one of its entries. */
function sdkOf(name: string): SdkPatch | undefined {
  return sdkPatches.find((sdk) => sdk.moduleName === name || importNamesOf(sdk).includes(name));
}

/**
 * Factory for registries of instrumentations, by name:
 * `{ 'otel-token-meter': createTokenMeterInstrumentation }`.
 */
export function createTokenMeterInstrumentation(
  options: TokenMeterOptions = {},
): TokenMeterInstrumentation {
  return new TokenMeterInstrumentation(options);
}
