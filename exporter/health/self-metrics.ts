import {
  type Histogram,
  type MeterProvider,
  metrics,
  type Observable,
  type ObservableResult,
} from '@opentelemetry/api';
import type { ExporterStatus } from './status.ts';

const NAME = 'token_meter.exporter';

/**
 * What an exporter tells about itself, to whichever meter provider the application has: accepted,
 * delivered, dropped (by reason), retries, spool_bytes, oldest_age, latency, each with the attribute
 * `token_meter.exporter` (usage, metrics or sqlite).
 */
export class SelfMetrics {
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #status: () => ExporterStatus;
  #provider: MeterProvider | undefined;
  #latency: Histogram | undefined;
  #removeCallbacks: () => void = () => {};

  constructor(exporter: string, status: () => ExporterStatus) {
    this.#attributes = { [NAME]: exporter };
    this.#status = status;
  }

  /** Instruments made before the application sets its provider do nothing for ever: looked at again. */
  ensure(): void {
    const provider = metrics.getMeterProvider();
    if (provider === this.#provider) return;
    this.#removeCallbacks();
    this.#provider = provider;
    this.#make(provider);
  }

  recordLatency(ms: number): void {
    this.#latency?.record(ms / 1000, this.#attributes);
  }

  stop(): void {
    this.#removeCallbacks();
  }

  #make(provider: MeterProvider): void {
    const meter = provider.getMeter('otel-token-meter');
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
