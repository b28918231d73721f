import type { InfluxDB } from '@influxdata/influxdb-client';
import { makeAgent } from '../connection/connection.ts';
import { type InfluxAccess, resolveInfluxOptions } from './influx-options.ts';

const TIMEOUT_MS = 10_000;

/**
 * The official client with proxy and certificates of the options, for what the exporter itself does not do:
 * administration and diagnosis. `timeoutMs` is the longest silence. Throws `INVALID_OPTION`.
 */
export async function influxClient({
  timeoutMs = TIMEOUT_MS,
  ...options
}: InfluxAccess): Promise<InfluxDB> {
  const { connection, token } = resolveInfluxOptions('influxClient', options);
  const { InfluxDB: Client } = await import('@influxdata/influxdb-client');
  return new Client({
    url: connection.url,
    ...(token !== undefined && { token }),
    timeout: timeoutMs,
    transportOptions: { agent: makeAgent(connection, { maxSockets: 2, holdsProcess: true }) },
  });
}
