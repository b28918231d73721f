import {
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type Observable,
  type ObservableResult,
} from '@opentelemetry/api';
import type { ExporterStatus } from './status.ts';

const NAME = 'token_meter.exporter';

/**
 * What an exporter reports about itself, to whichever meter provider the application has: accepted,
 * delivered, dropped (by reason), retries, spool_bytes, oldest_age, latency, each with the attribute
 * `token_meter.exporter` (usage, metrics or sqlite).
 */
export class SelfMetrics {
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #status: () => ExporterStatus;
  #provider: MeterProvider | undefined;
  #atStart: { readonly provider: MeterProvider; readonly meter: Meter } | undefined;
  readonly #looking: NodeJS.Immediate;
  #latency: Histogram | undefined;
  #removeCallbacks: () => void = () => {};

  constructor(exporter: string, status: () => ExporterStatus) {
    this.#attributes = { [NAME]: exporter };
    this.#status = status;
    // An SDK that is shutting down writes its last metrics, which may be the first records of this exporter,
    // and warns about every meter it is asked for by then.
    this.#looking = setImmediate(() => {
      const provider = metrics.getMeterProvider();
      this.#atStart = { provider, meter: meterOf(provider) };
    }).unref();
  }

  /**
   * Before the first record is kept. Instruments made before the application sets its provider never do
   * anything: they are made again for a new one.
   */
  ensure(): void {
    const provider = metrics.getMeterProvider();
    if (provider === this.#provider) return;
    this.#removeCallbacks();
    this.#provider = provider;
    this.#make(this.#atStart?.provider === provider ? this.#atStart.meter : meterOf(provider));
  }

  recordLatency(ms: number): void {
    this.#latency?.record(ms / 1000, this.#attributes);
  }

  stop(): void {
    clearImmediate(this.#looking);
    this.#removeCallbacks();
  }

  #make(meter: Meter): void {
    const removals: (() => void)[] = [];
    const observe = (
      instrument: Observable,
      tell: (result: ObservableResult, status: ExporterStatus) => void,
    ): void => {
      const callback = (result: ObservableResult): void => tell(result, this.#status());
      instrument.addCallback(callback);
      removals.push(() => instrument.removeCallback(callback));
    };
    const unit = '{record}';
    const counter = (name: string, description: string): Observable =>
      meter.createObservableCounter(`${NAME}.${name}`, { unit, description });
    observe(counter('accepted', 'Records that were taken on'), (result, { accepted }) =>
      result.observe(accepted, this.#attributes),
    );
    observe(counter('delivered', 'Records that the server has'), (result, { delivered }) =>
      result.observe(delivered, this.#attributes),
    );
    observe(counter('dropped', 'Records that were given up'), (result, { dropped }) => {
      for (const [reason, count] of Object.entries(dropped)) {
        result.observe(count, { ...this.#attributes, reason });
      }
    });
    observe(
      meter.createObservableCounter(`${NAME}.retries`, {
        unit: '{attempt}',
        description: 'Sends that had to be repeated',
      }),
      (result, { retries }) => result.observe(retries, this.#attributes),
    );
    observe(
      meter.createObservableGauge(`${NAME}.spool_bytes`, {
        unit: 'By',
        description: 'Bytes that wait for delivery',
      }),
      (result, { spoolBytes }) => result.observe(spoolBytes, this.#attributes),
    );
    observe(
      meter.createObservableGauge(`${NAME}.oldest_age`, {
        unit: 's',
        description: 'Age of the oldest record that waits',
      }),
      (result, { oldestAgeMs = 0 }) => result.observe(oldestAgeMs / 1000, this.#attributes),
    );
    this.#latency = meter.createHistogram(`${NAME}.latency`, {
      unit: 's',
      description: 'Time until the server answered a write',
      advice: {
        explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      },
    });
    this.#removeCallbacks = () => {
      for (const remove of removals) remove();
    };
  }
}

function meterOf(provider: MeterProvider): Meter {
  return provider.getMeter('otel-token-meter');
}
