import { TokenMeterError } from '../../../src/errors.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { BackOff } from '../../delivery/back-off.ts';
import { DeliveryStopped } from '../../delivery/line-delivery.ts';
import { Delivery } from '../write/delivery/delivery.ts';
import { ExportCounts } from '../../health/export-counts.ts';
import { costLine } from '../write/lines/cost-line.ts';
import type { CostChange, RepriceTally } from '../../ledger/reprice-tally.ts';
import { isLoopback } from '../../connection/connection.ts';
import { chooseDialect } from '../dialect.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { LateCalls } from '../rollup/late-calls.ts';
import { MARKER } from '../rollup/late-marks.ts';
import { InfluxTransport } from '../transport.ts';

/** Lines of one write. */
const BATCH = 5000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 8000;
/** About half a minute of a server that is away. */
const MAX_FAILURES = 7;

/**
 * Brings new costs to the server in batches. It gives up where the exporter would wait: somebody looks on.
 */
export class CostWriter {
  readonly #target: ResolvedInfluxOptions;
  readonly #tally: RepriceTally;
  readonly #signal: AbortSignal | undefined;
  readonly #transport: InfluxTransport;
  readonly #late: LateCalls;
  readonly #delivery: Delivery;
  /** By line, its line break included. */
  readonly #batch = new Map<string, CostChange>();
  readonly #onAbort = (): void => this.#delivery.stop();

  constructor(target: ResolvedInfluxOptions, tally: RepriceTally, signal: AbortSignal | undefined) {
    const { url, connection, timeoutMs } = target;
    this.#target = target;
    this.#tally = tally;
    this.#signal = signal;
    this.#transport = new InfluxTransport(connection, { maxSockets: 1, holdsProcess: false });
    this.#late = new LateCalls(target, MARKER);
    const counts = new ExportCounts('reprice');
    this.#delivery = new Delivery({
      transport: this.#transport,
      chooseDialect: async () => await chooseDialect(target, this.#transport, timeoutMs),
      timeoutMs,
      gzip: !isLoopback(url),
      backOff: new BackOff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS }),
      counts,
      isOptionalField: () => false,
      givesUp: (kind, failures) => kind === 'attention' || failures >= MAX_FAILURES,
      onLatency: () => {},
      late: this.#late,
      onRefused: (refused, reason, message) => {
        counts.drop(reason, refused.length, message);
        for (const { body } of refused) {
          const change = this.#batch.get(body.toString());
          if (change !== undefined) tally.refuse(change, message);
        }
      },
    });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** `tags` of the call's series, as they are stored. */
  async write(
    { time, costMissing }: UsageRecord,
    tags: Readonly<Record<string, string>>,
    change: CostChange,
  ): Promise<void> {
    const line = costLine(tags, time, change, costMissing !== undefined);
    if (line === undefined) {
      this.#tally.refuse(change, 'a tag of its series holds what no line can');
      return;
    }
    this.#batch.set(`${line}\n`, change);
    if (this.#batch.size >= BATCH) await this.flush();
  }

  /** Rejects with `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`, or the reason of the abort. */
  async flush(): Promise<void> {
    const lines = this.#batch.size;
    if (lines === 0) return;
    const body = Buffer.from([...this.#batch.keys()].join(''));
    try {
      await this.#delivery.deliver([{ body, lines, multiline: false }]);
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (!(error instanceof DeliveryStopped)) throw error;
      throw this.#givenUp();
    }
    this.#batch.clear();
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#transport.close();
    this.#late.close();
  }

  #givenUp(): TokenMeterError {
    const { code = '', message = 'it does not answer' } = this.#delivery.lastError ?? {};
    const isRefusal = /^[1-4]\d\d$/.test(code);
    return new TokenMeterError(
      isRefusal ? 'BACKEND_REFUSED' : 'BACKEND_UNREACHABLE',
      `InfluxDB at ${new URL(this.#target.url).origin} does not take the new costs: ${message}; ` +
        'what was written before stays, run it again to go on',
    );
  }
}
