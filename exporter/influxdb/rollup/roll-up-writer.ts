import { TokenMeterError } from '../../../src/errors.ts';
import { ExportCounts } from '../../health/export-counts.ts';
import { isLoopback } from '../../connection/connection.ts';
import { chooseDialect } from '../dialect.ts';
import { InfluxTransport } from '../transport.ts';
import { BackOff } from '../../delivery/back-off.ts';
import { DeliveryStopped } from '../../delivery/line-delivery.ts';
import { Delivery } from '../write/delivery/delivery.ts';
import type { RollUpPlace } from './roll-up-place.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 8000;
const MAX_FAILURES = 4;

/** Writes lines at once, and gives up where the exporter would wait. */
export class RollUpWriter {
  readonly #place: RollUpPlace;
  readonly #transport: InfluxTransport;
  readonly #delivery: Delivery;
  #refusal: string | undefined;

  constructor(place: RollUpPlace) {
    const { target } = place;
    const { url, connection, timeoutMs } = target;
    this.#place = place;
    this.#transport = new InfluxTransport(connection, { maxSockets: 1, holdsProcess: false });
    this.#delivery = new Delivery({
      transport: this.#transport,
      chooseDialect: async () => await chooseDialect(target, this.#transport, timeoutMs),
      timeoutMs,
      gzip: !isLoopback(url),
      backOff: new BackOff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS }),
      counts: new ExportCounts('roll-ups'),
      isOptionalField: () => false,
      givesUp: (kind, failures) => kind === 'attention' || failures >= MAX_FAILURES,
      onLatency: () => {},
      onRefused: (_, reason, message) => {
        // The bucket forgets them at this moment.
        if (reason !== 'beyond_retention') this.#refusal = message;
      },
    });
  }

  /** Rejects with `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`. Each line ends with a line break. */
  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const body = Buffer.from(lines.join(''));
    try {
      await this.#delivery.deliver([{ body, lines: lines.length, multiline: false }]);
    } catch (error) {
      if (!(error instanceof DeliveryStopped)) throw error;
      const { code = '', message = 'it does not answer' } = this.#delivery.lastError ?? {};
      throw this.#failed(
        /^[1-4]\d\d$/.test(code) ? 'BACKEND_REFUSED' : 'BACKEND_UNREACHABLE',
        message,
      );
    }
    if (this.#refusal !== undefined) throw this.#failed('BACKEND_REFUSED', this.#refusal);
  }

  close(): void {
    this.#delivery.stop();
    this.#transport.close();
  }

  #failed(code: 'BACKEND_REFUSED' | 'BACKEND_UNREACHABLE', message: string): TokenMeterError {
    const { url, bucket } = this.#place.target;
    const where = `${bucket} of InfluxDB at ${new URL(url).origin}`;
    return new TokenMeterError(code, `${where} does not take roll-ups: ${message}`);
  }
}
