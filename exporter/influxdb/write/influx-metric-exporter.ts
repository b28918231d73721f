import type {
  AggregationTemporality,
  InstrumentType,
  PushMetricExporter,
  ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { TokenMeterError } from '../../../src/errors.ts';
import { type InfluxOptions, resolveInfluxOptions } from '../influx-options.ts';
import { LineExporter } from './line-exporter.ts';
import { MetricLineWriter } from './lines/metric-lines.ts';
import type { ExporterStatus } from '../../health/status.ts';

/** Values of an enum of sdk-metrics, which is not needed at run time for them. */
const DELTA = 0 as AggregationTemporality.DELTA;
const CUMULATIVE = 1 as AggregationTemporality.CUMULATIVE;
type ExportDone = Parameters<PushMetricExporter['export']>[1];

/**
 * Metric exporter for InfluxDB: give it to a `PeriodicExportingMetricReader`. A collection is exported
 * when its lines are in the spool; delivery goes on by itself, so an outage never costs a delta. Throws
 * `INVALID_OPTION` for wrong options.
 */
export class InfluxMetricExporter implements PushMetricExporter {
  readonly #exporter: LineExporter;
  readonly #lines: MetricLineWriter;

  constructor(options: InfluxOptions) {
    const resolved = resolveInfluxOptions('InfluxMetricExporter', options);
    this.#exporter = new LineExporter('metrics', resolved);
    const { counts } = this.#exporter;
    this.#lines = new MetricLineWriter({
      tags: resolved.tags,
      maxUserTags: resolved.maxUserTags,
      onCleaned: (reason) => counts.clean(reason),
      onUnwritable: () => counts.drop('unwritable', 1),
    });
  }

  /**
   * Delta for what adds up: sums then need no knowledge of restarts. What goes up and down is
   * exported as it stands.
   */
  selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return type.includes('UP_DOWN_COUNTER') ? CUMULATIVE : DELTA;
  }

  /** Calls back with success when every line is on disk, with failure when some are held in memory only, or
   * were dropped. */
  export(metrics: ResourceMetrics, done: ExportDone): void {
    void this.#accept(metrics, done);
  }

  /**
   * Never rejects: a reader that is given a failure would skip the shutdown.
   *
   * @param withinMs default: the time limit of a request
   */
  async forceFlush(withinMs?: number): Promise<void> {
    await this.#exporter.flush(withinMs);
  }

  /** Flushes within seconds; the rest stays in the spool for the next start. Never rejects. */
  async shutdown(): Promise<void> {
    await this.#exporter.shutdown();
  }

  status(): ExporterStatus {
    return this.#exporter.status();
  }

  async #accept(metrics: ResourceMetrics, done: ExportDone): Promise<void> {
    const { unkept } = this.#exporter;
    try {
      for (const line of this.#lines.lines(metrics)) this.#exporter.write(line);
      await this.#exporter.flushIntake();
    } catch (error) {
      done({ code: 1, error: error as Error });
      return;
    }
    const error = new TokenMeterError('SPOOL_UNAVAILABLE', 'lines are not on disk, see status()');
    done(this.#exporter.unkept === unkept ? { code: 0 } : { code: 1, error });
  }
}
