// oxlint-disable-next-line no-restricted-imports -- the one place that looks whether the logs API is there
import * as api from '@opentelemetry/api';
import type { Meter, MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import { logs, type Logger, type LoggerProvider } from '@opentelemetry/api-logs';
import type { ResourceLike } from './resolved-resource.ts';

/** Name of the instrumentation scope. */
export const SCOPE = 'otel-token-meter';

/** Where metrics and events go besides the providers of the API. */
export interface Destination {
  readonly meters: readonly Meter[];
  readonly logger: Logger;
  /** Of what is sent there where no SDK is registered. */
  readonly resource: ResourceLike;
  /** A call is about to begin: by now the application has started its SDK, if it has one. */
  readonly onCall?: () => void;
  /** Sends what has arrived here. May reject. */
  readonly flush?: () => Promise<void>;
}

/**
 * Destinations of spans, metrics and events. Queried for every record, since providers may be
 * registered late.
 */
export interface Telemetry {
  readonly tracer: () => Tracer;
  readonly meters: () => readonly Meter[];
  readonly loggers: () => readonly Logger[];
  readonly onCall?: () => void;
  /** Of what is recorded now, whether or not spans are. Undefined where nothing says. */
  readonly resource?: () => ResourceLike | undefined;
  /** Sets the schema URL of spans, metrics and events. */
  useSchema?(url: string | undefined): void;
  /** Resolves when the logger's exporters have received everything emitted so far. May reject. */
  readonly flush?: () => Promise<void>;
  /** Resolves when spans, metrics and events so far have been sent, if their exporters could. */
  readonly deliver?: () => Promise<void>;
}

/**
 * Uses the global providers of the OpenTelemetry API, unless others were set. Before an SDK is
 * registered, `registerInstrumentations` passes placeholders, and some of them never forward to the
 * SDK: meters have no proxy, the ESM and CommonJS copies of the API each have their own proxy, and
 * SDK 2.x registers its loggers in a separate package. Placeholders are therefore ignored and the
 * globals are queried at every call.
 */
export class CurrentTelemetry implements Telemetry {
  readonly #tracers: Followed<TracerProvider, Tracer>;
  readonly #meters: Followed<MeterProvider, Meter>;
  readonly #loggers: Followed<LoggerProvider, Logger>;
  #destination: Destination | undefined;
  #schemaUrl: string | undefined;

  constructor(version: string) {
    const schema = (): SchemaOptions =>
      this.#schemaUrl === undefined ? {} : { schemaUrl: this.#schemaUrl };
    this.#tracers = new Followed(
      () => api.trace.getTracerProvider(),
      (provider) => provider.getTracer(SCOPE, version, schema()),
    );
    this.#meters = new Followed(
      () => api.metrics.getMeterProvider(),
      (provider) => provider.getMeter(SCOPE, version, schema()),
    );
    this.#loggers = new Followed(globalLoggerProvider, (provider) =>
      provider.getLogger(SCOPE, version, schema()),
    );
  }

  readonly tracer = (): Tracer => this.#tracers.current();
  readonly meters = (): readonly Meter[] => [
    this.#meters.current(),
    ...(this.#destination?.meters ?? []),
  ];
  readonly loggers = (): readonly Logger[] => {
    const global = this.#loggers.current();
    return this.#destination === undefined ? [global] : [global, this.#destination.logger];
  };
  readonly onCall = (): void => this.#destination?.onCall?.();
  /** That of the logger comes first: it is the ledger's. */
  readonly resource = (): ResourceLike | undefined =>
    firstResource([this.#loggers.provider(), this.#tracers.provider()]) ??
    this.#destination?.resource ??
    firstResource([this.#meters.provider()]);

  /** Before the first call. */
  useSchema(url: string | undefined): void {
    this.#schemaUrl = url;
  }

  addDestination(destination: Destination): void {
    this.#destination = destination;
  }

  async flush(): Promise<void> {
    const provider = this.#loggers.provider() as { forceFlush?: () => Promise<void> };
    await provider.forceFlush?.();
  }

  async deliver(): Promise<void> {
    const providers = [this.#tracers, this.#meters, this.#loggers].map((of) => of.provider());
    await Promise.allSettled([
      ...providers.map(async (provider) => await flushable(provider).forceFlush?.()),
      this.#destination?.flush?.(),
    ]);
  }

  useTracers(provider: TracerProvider): void {
    this.#tracers.use(isProxy(provider) ? undefined : provider);
  }

  useMeters(provider: MeterProvider): void {
    this.#meters.use(isNoop(provider) ? undefined : provider);
  }

  useLoggers(provider: LoggerProvider): void {
    this.#loggers.use(isProxy(provider) ? undefined : provider);
  }
}

interface SchemaOptions {
  readonly schemaUrl?: string;
}

/** Caches the handle of the current provider and replaces it when the provider changes. */
class Followed<P, T> {
  readonly #global: () => P;
  readonly #handleOf: (provider: P) => T;
  #given: P | undefined;
  #last: { readonly provider: P; readonly handle: T } | undefined;

  constructor(global: () => P, handleOf: (provider: P) => T) {
    this.#global = global;
    this.#handleOf = handleOf;
  }

  use(provider: P | undefined): void {
    this.#given = provider;
  }

  provider(): P {
    return this.#given ?? this.#global();
  }

  current(): T {
    const provider = this.provider();
    if (this.#last?.provider !== provider) {
      this.#last = { provider, handle: this.#handleOf(provider) };
    }
    return this.#last.handle;
  }
}

interface Flushable {
  forceFlush?(): Promise<void>;
}

/** The provider that a proxy of the API leads to has the method, the proxy has not. */
function flushable(provider: object): Flushable {
  return delegateOf(provider);
}

function delegateOf(provider: object): object {
  const { getDelegate, _getDelegate } = provider as Record<string, unknown>;
  const delegate = getDelegate ?? _getDelegate;
  return typeof delegate === 'function' ? (delegate.call(provider) as object) : provider;
}

/** Resource of the SDK that is registered with the API, for logs or spans. */
export function registeredResource(): ResourceLike | undefined {
  return firstResource([globalLoggerProvider(), api.trace.getTracerProvider()]);
}

/**
 * Providers of the SDK have it in these members from 2.0 to 3.1, with no public way to it: a span has it only while
 * it is recorded, and a log record once it is emitted.
 */
function firstResource(providers: readonly object[]): ResourceLike | undefined {
  for (const provider of providers) {
    const { _resource, _sharedState } = delegateOf(provider) as {
      readonly _resource?: ResourceLike;
      readonly _sharedState?: { readonly resource?: ResourceLike };
    };
    const resource = _resource ?? _sharedState?.resource;
    if (resource !== undefined) return resource;
  }
  return undefined;
}

/** API 1.10 includes the logs API; SDK 2.x registers in `@opentelemetry/api-logs`. */
export function globalLoggerProvider(): LoggerProvider {
  const ofApi = (api as { logs?: { getLoggerProvider(): LoggerProvider } }).logs;
  const provider = ofApi?.getLoggerProvider();
  return provider === undefined || isProxy(provider) ? logs.getLoggerProvider() : provider;
}

/** Whether an SDK is registered with the OpenTelemetry API. */
export function isSdkRegistered(): boolean {
  const tracers = api.trace.getTracerProvider() as TracerProvider & {
    readonly getDelegateTracer?: (name: string) => Tracer | undefined;
  };
  const traced = !isProxy(tracers) || tracers.getDelegateTracer?.(SCOPE) !== undefined;
  return traced || !isNoop(api.metrics.getMeterProvider()) || !isProxy(globalLoggerProvider());
}

/** `getDelegate` of tracers, `_getDelegate` of loggers; works for both copies of the API. */
function isProxy(provider: object): boolean {
  return 'getDelegate' in provider || '_getDelegate' in provider;
}

/** The no-op provider returns the same meter for every name. */
function isNoop(provider: MeterProvider): boolean {
  return provider.getMeter(SCOPE) === provider.getMeter(`${SCOPE}/probe`);
}
