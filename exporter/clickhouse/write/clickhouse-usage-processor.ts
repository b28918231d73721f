import { BackOff } from '../../delivery/back-off.ts';
import type { CallOfLine } from '../../delivery/erased-users.ts';
import { SpooledExporter } from '../../delivery/spooled-exporter.ts';
import { TextLine } from '../../delivery/text-line.ts';
import type { ExporterStatus } from '../../health/status.ts';
import { environmentOf } from '../../ledger/environment.ts';
import {
  type UsageLogProcessor,
  type UsageLogRecord,
  usageRecordFromLog,
} from '../../ledger/usage-event.ts';
import { type ClickHouseOptions, resolveClickHouseOptions } from '../clickhouse-options.ts';
import { changeableSince } from '../changeable-calls.ts';
import { ClickHouseSession } from '../clickhouse-session.ts';
import { rowOf } from '../stored-row.ts';
import { BlockDelivery } from './block-delivery.ts';
import { clickHouseDestination } from './clickhouse-destination.ts';
import { LateRows } from './late-rows.ts';
import { RowInserts } from './row-inserts.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
const MAX_LINE_BYTES = 1_000_000;
/** Hours and days of roll-ups are of the type `DateTime`. */
const [FIRST_TIME, END_TIME] = ['1970-01-01T', '2106-02-07T'];

function callOfRow(line: Buffer): CallOfLine | undefined {
  const { user, time } = JSON.parse(line.toString()) as Record<string, unknown>;
  if (typeof user !== 'string' || typeof time !== 'string') return undefined;
  return { user, timeMs: Date.parse(time) };
}

/**
 * Log record processor that brings the ledger into ClickHouse, through a spool folder on disk: a server
 * that is away, a crash of the process, a full disk never fail the host and are reported by `status()`. The tables
 * are made by `otel-token-meter setup clickhouse`. Throws `INVALID_OPTION` for wrong options.
 */
export class ClickHouseUsageProcessor implements UsageLogProcessor {
  readonly #exporter: SpooledExporter;
  readonly #line = new TextLine();

  constructor(options: ClickHouseOptions) {
    const resolved = resolveClickHouseOptions('ClickHouseUsageProcessor', options);
    const inserts = new RowInserts(resolved);
    const session = new ClickHouseSession(resolved, { holdsProcess: false });
    this.#exporter = new SpooledExporter({
      ...resolved,
      name: 'usage',
      destination: clickHouseDestination(resolved),
      callOf: callOfRow,
      delivery: (hooks) =>
        new BlockDelivery({
          ...hooks,
          insert: async (rows, token) => await inserts.insert(rows, token),
          backOff: new BackOff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS }),
          late: new LateRows(async () => await changeableSince(session)),
        }),
      disconnect: () => {
        inserts.close();
        void session.close();
      },
    });
  }

  onEmit(logRecord: UsageLogRecord): void {
    const record = usageRecordFromLog(logRecord);
    if (record === undefined) return;
    if (record.time < FIRST_TIME || record.time >= END_TIME) {
      this.#exporter.counts.drop('unwritable', 1, 'its time is not between 1970 and 2106');
      return;
    }
    this.#line.set(JSON.stringify(rowOf(record, environmentOf(logRecord))));
    if (this.#line.length > MAX_LINE_BYTES) this.#exporter.counts.drop('unwritable', 1);
    else this.#exporter.write(this.#line);
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
    await this.#exporter.shutdown();
  }

  status(): ExporterStatus {
    return this.#exporter.status();
  }
}
