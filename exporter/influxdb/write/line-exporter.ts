import { BackOff } from '../../delivery/back-off.ts';
import type { CallOfLine } from '../../delivery/erased-users.ts';
import { CONCURRENCY, SpooledExporter } from '../../delivery/spooled-exporter.ts';
import { isLoopback } from '../../connection/connection.ts';
import type { SpoolFs } from '../../spool/spool-fs.ts';
import { chooseDialect } from '../dialect.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import type { LateCalls } from '../rollup/late-calls.ts';
import { InfluxTransport } from '../transport.ts';
import { Delivery } from './delivery/delivery.ts';
import { influxDestination } from './influx-destination.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

interface LineExporterParts {
  /** What may be left out of a line rather than lose it. */
  readonly isOptionalField?: (name: string) => boolean;
  /** See `DeliveryOptions`. */
  readonly otherValueOf?: (tag: string, value: string) => string | undefined;
  /** Of lines that come too late for the roll-up of their hour. */
  readonly late?: LateCalls;
  /** See `SpooledExporterOptions`. */
  readonly callOf?: (line: Buffer) => CallOfLine | undefined;
  readonly fs?: SpoolFs;
}

/** The way of lines into InfluxDB. Both Influx exporters are one of these. */
export class LineExporter extends SpooledExporter {
  constructor(
    name: string,
    options: ResolvedInfluxOptions,
    {
      isOptionalField = () => false,
      otherValueOf = () => undefined,
      late,
      callOf,
      fs,
    }: LineExporterParts = {},
  ) {
    const { url, connection, timeoutMs } = options;
    const transport = new InfluxTransport(connection, {
      maxSockets: CONCURRENCY,
      holdsProcess: false,
    });
    super({
      ...options,
      name,
      destination: influxDestination(options),
      callOf,
      ...(fs !== undefined && { fs }),
      disconnect: () => {
        transport.close();
        late?.close();
      },
      delivery: (hooks) =>
        new Delivery({
          ...hooks,
          transport,
          chooseDialect: () => chooseDialect(options, transport, timeoutMs),
          timeoutMs,
          gzip: !isLoopback(url),
          backOff: new BackOff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS }),
          isOptionalField,
          otherValueOf,
          ...(late && { late }),
        }),
    });
  }
}
