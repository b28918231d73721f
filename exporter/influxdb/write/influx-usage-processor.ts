import { type InfluxOptions, resolveInfluxOptions } from '../influx-options.ts';
import { LateCalls } from '../rollup/late-calls.ts';
import { ON_THE_WAY } from '../rollup/late-marks.ts';
import { RollUpUpkeep } from '../rollup/roll-up-upkeep.ts';
import { LineExporter } from './line-exporter.ts';
import { attributeOfField, OTHER_VALUES } from '../usage-schema.ts';
import { callOfLine } from './lines/call-of-line.ts';
import { UsageLineWriter } from './lines/usage-line.ts';
import { environmentOf } from '../../ledger/environment.ts';
import type { ExporterStatus } from '../../health/status.ts';
import {
  type UsageLogProcessor,
  type UsageLogRecord,
  usageRecordFromLog,
} from '../../ledger/usage-event.ts';

/**
 * Log record processor that brings the ledger into InfluxDB, through a spool folder on disk: a server
 * that is away, a crash of the process, a full disk never fail the host and are told by `status()`.
 * Throws `INVALID_OPTION` for wrong options.
 */
export class InfluxUsageProcessor implements UsageLogProcessor {
  readonly #exporter: LineExporter;
  readonly #lines: UsageLineWriter;
  readonly #rollUps: RollUpUpkeep | undefined;

  constructor(options: InfluxOptions) {
    const resolved = resolveInfluxOptions('InfluxUsageProcessor', options);
    const tagNames = new Set(Object.keys(resolved.tags));
    // A caller's attribute of the wrong type must not cost the record its numbers.
    const isOptionalField = (name: string): boolean =>
      attributeOfField(name, tagNames) !== undefined;
    const otherValueOf = (tag: string, value: string): string | undefined => {
      const isBounded = this.#lines.refuseTag(tag, value);
      return isBounded ? OTHER_VALUES : undefined;
    };
    this.#exporter = new LineExporter('usage', resolved, {
      isOptionalField,
      otherValueOf,
      callOf: callOfLine,
      ...(resolved.rollUps && { late: new LateCalls(resolved, ON_THE_WAY) }),
    });
    const { counts } = this.#exporter;
    this.#lines = new UsageLineWriter({
      tags: resolved.tags,
      maxUserTags: resolved.maxUserTags,
      maxDimensionTags: resolved.maxDimensionTags,
      onCleaned: (reason) => counts.clean(reason),
    });
    this.#rollUps = resolved.rollUps ? new RollUpUpkeep(resolved) : undefined;
  }

  onEmit(logRecord: UsageLogRecord): void {
    const record = usageRecordFromLog(logRecord);
    if (record === undefined) return;
    const line = this.#lines.line(record, environmentOf(logRecord));
    if (line === undefined) this.#exporter.counts.drop('unwritable', 1);
    else this.#exporter.write(line);
  }

  /**
   * Resolves when everything emitted so far is durable and delivery was tried. Never rejects for a
   * server that is away: what it did not take is kept and sent later.
   */
  async forceFlush(): Promise<void> {
    await this.#exporter.flush();
  }

  /** Flushes within seconds; the rest stays in the spool for the next start. Never rejects. */
  async shutdown(): Promise<void> {
    await Promise.all([this.#rollUps?.stop(), this.#exporter.shutdown()]);
  }

  status(): ExporterStatus {
    return this.#exporter.status();
  }
}
