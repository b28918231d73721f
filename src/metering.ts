import { isDeepStrictEqual } from 'node:util';
import { diag, type Meter, type Span } from '@opentelemetry/api';
import { StepMeter } from './agents/step-meter.ts';
import { budgetedCall, BudgetedCalls, type IdentityOptions } from './budgeted-calls.ts';
import type { Budget } from './budgets/budget.ts';
import { applyBudgets, currentBudgets } from './budgets/budgets-in-force.ts';
import type { PriceOfTokens } from './budgets/call-price.ts';
import type { BudgetStore } from './budgets/stores/budget-store.ts';
import { CallMeter } from './call/call-meter.ts';
import { systemClock } from './call/clock.ts';
import type { Audience, CallLead } from './call/call-start.ts';
import type { CallBudgets } from './domain/call-budgets.ts';
import type { EndedCall } from './domain/ended-call.ts';
import { SwitchBoard, type Switches } from './domain/switches.ts';
import { describeProblems, resolveConfig, type TokenMeterConfig } from './config/index.ts';
import { TokenMeterError } from './errors.ts';
import { warnHost } from './host/host-warning.ts';
import type { LiveSettings, TokenMeterOptions } from './options.ts';
import { SCHEMA_URL, type SemconvGeneration } from './otel/semconv.ts';
import { resolvedAttributes, type ResourceLike } from './otel/resolved-resource.ts';
import { SCOPE, type Telemetry } from './otel/telemetry.ts';
import { BackgroundCounter } from './tokens/background.ts';
import { setModelAliases } from './tokens/models.ts';
import { LivePrices } from './prices/live-prices.ts';
import { NANO_DOLLARS } from './prices/nano-dollars.ts';
import type { PriceSource } from './prices/prices.ts';
import type { Delivery } from './usage/delivery.ts';
import type { HeldStatus } from './usage/held-records.ts';
import { UsagePipeline } from './usage/usage-pipeline.ts';
import type { UsageRecord } from './domain/usage-record.ts';

/** Nano-dollars a token, for estimates until prices are loaded: more than most models cost. */
const PRICE_AT_FIRST = { input: 5000, output: 25_000 } as const;

const BOTH_ON: Switches = { enabled: true, tokenStatistics: true };

/** The record, once it is made. */
export type Recorded = Promise<UsageRecord | undefined>;

/** Everything between a call and its record, for one instrumentation. */
export class Metering {
  readonly calls: CallMeter<Recorded>;
  readonly lead: CallLead;
  readonly keepContent: boolean;
  readonly #resolved: ResolvedOptions;
  /** Whether `enabled: false` of the options holds; nothing else has decided yet. */
  #isOffByOption: boolean;
  readonly #prices: LivePrices;
  readonly #telemetry: Telemetry;
  readonly #pipeline: UsagePipeline;
  #switches: SwitchBoard;
  #lastService: string | undefined;

  /**
   * Throws `TokenMeterError` `INVALID_OPTION` for an invalid option. Invalid environment values are
   * logged. `declared` is our block as an SDK hands it over. `audience`: all that a call is recorded for.
   */
  constructor(
    options: TokenMeterOptions,
    telemetry: Telemetry,
    audience: (team?: () => unknown) => Audience<Recorded> | undefined,
    declared?: DeclaredNode,
  ) {
    const { config, isCountingChosen } = resolveOptions(options, declared);
    this.#resolved = { config, isCountingChosen };
    this.#isOffByOption = options.enabled === false;
    this.#switches = new SwitchBoard(config.metrics);
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
      service: this.#service,
      counting: config.counting,
      captureContent: config.captureContent,
      generations,
      metricAttributes: config.metricAttributes,
      metricsWithCounted: isCountingChosen,
      userIdHashKey: config.userIdHashKey,
      dimensions: config.dimensions,
      priceOf: (record) => this.#prices.price(record),
      prepare: () => this.#prices.load(),
      counter: new BackgroundCounter(),
      onUsage: options.onUsage,
    });
    this.calls = new CallMeter({ clock: systemClock, audience });
    this.lead = {
      tracer: telemetry.tracer,
      requestIdentity: config.requestIdentity,
      nativeSpans: config.nativeSpans,
      chunkTimes: config.chunkTimes,
      steps: new StepMeter({
        tracer: telemetry.tracer,
        generations,
        captureContent: config.captureContent,
        nativeSpans: config.nativeSpans,
        isEmitting: () => !this.#pipeline.held.isHolding,
      }),
    };
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

  meters(): readonly Meter[] {
    return this.#telemetry.meters();
  }

  /** Of all calls that no team or service has others for. */
  get settings(): Switches {
    return this.#pipeline.held.isHolding ? BOTH_ON : this.#switches.all;
  }

  /**
   * What is recorded of a call that begins now. Everything while records are held, since the decision may be that
   * calls are recorded.
   */
  switchesOf(team: () => unknown, service: () => string = this.#service): Switches {
    return this.#pipeline.held.isHolding ? BOTH_ON : this.#switches.of(team, service);
  }

  get held(): HeldStatus {
    return this.#pipeline.held.status;
  }

  /** Takes back `enabled: false` of the options, but no decision of the environment or a store. */
  enable(): void {
    if (this.#isOffByOption) this.#switches = this.#switches.with({ enabled: true });
    this.#isOffByOption = false;
  }

  /** Continues with the switches of another one. */
  takeSwitches(former: Metering): void {
    this.#switches = former.#switches;
    this.#isOffByOption = former.#isOffByOption;
    if (former.#pipeline.held.isHolding) this.#pipeline.held.hold();
  }

  applySettings({ hold, ...values }: LiveSettings): void {
    if (values.enabled !== undefined) this.#isOffByOption = false;
    const switches = this.#switches.with(values);
    this.#switches = switches;
    if (hold === true) this.#pipeline.held.hold();
    else if (hold === false) {
      this.#pipeline.held.decide(({ team, service }) =>
        switches.of(
          () => team,
          () => service,
        ),
      );
    }
  }

  /**
   * `service.name` of the calls of this process, as their records have it. Of providers that do not say, the last
   * span that was recorded has it.
   */
  readonly #service = (span?: Span): string => {
    const known = serviceIn(this.#telemetry.resource?.());
    if (known !== undefined) return known;
    this.#lastService =
      serviceIn((span as { readonly resource?: ResourceLike } | undefined)?.resource) ??
      this.#lastService;
    return this.#lastService ?? process.env['OTEL_SERVICE_NAME'] ?? 'unknown_service';
  };

  /** What a call that begins now is asked of; undefined while there are no budgets. */
  budgets(tokenStatistics: boolean): CallBudgets<Recorded> | undefined {
    return currentBudgets() && new BudgetedCalls(this.#identity, tokenStatistics);
  }

  /** Replaces the budgets of the process. Throws `INVALID_OPTION`, and then changes nothing. */
  applyBudgets(budgets: readonly Budget[], store: BudgetStore | undefined): void {
    this.#applyBudgets(budgets, store, true);
  }

  /** The configured budgets, unless others were applied by now. */
  useConfiguredBudgets(store: BudgetStore | undefined): void {
    const { budgets } = this.config;
    if (budgets.length > 0) this.#applyBudgets(budgets, store, false);
  }

  #applyBudgets(
    budgets: readonly Budget[],
    store: BudgetStore | undefined,
    isDecision: boolean,
  ): void {
    applyBudgets(budgets, {
      isDecision,
      store,
      priceOf: this.#priceOf,
      identify: (call) => budgetedCall(call, call, this.#identity),
    });
    if (currentBudgets()?.hasPrices === true) void this.#prices.load();
  }

  get #identity(): IdentityOptions {
    return this.#resolved.config;
  }

  #priceOf: PriceOfTokens = ({ provider, model, operation }, { input, output }) => {
    if (this.#prices.source === undefined) {
      return input * PRICE_AT_FIRST.input + output * PRICE_AT_FIRST.output;
    }
    const cost = this.#prices.price({
      provider,
      requestModel: model,
      operation,
      time: new Date().toISOString(),
      inputTokens: input,
      outputTokens: output,
    });
    return cost && cost.costUsd * NANO_DOLLARS;
  };

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
  const {
    enabled,
    tokenStatistics,
    onUsage: _onUsage,
    budgetStore: _budgetStore,
    ...rest
  } = options;
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

function serviceIn(resource: ResourceLike | undefined): string | undefined {
  const name = resource === undefined ? undefined : resolvedAttributes(resource)['service.name'];
  return typeof name === 'string' && name !== '' ? name : undefined;
}
