import type { Setting } from '../setting.ts';
import { boolean, oneOf } from './kinds.ts';
import { storeNames } from './stores.ts';

/** Initial state of the switches, and the destination of records. */
export const metrics: readonly Setting[] = [
  {
    key: 'metrics.enabled',
    path: 'metrics.enabled',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_ENABLED'],
    default: true,
    description: 'Whether calls are metered at all.',
  },
  {
    key: 'metrics.token_statistics',
    path: 'metrics.tokenStatistics',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_TOKEN_STATISTICS'],
    default: true,
    description:
      'Whether tokens are read and counted. If not, records contain user, model and duration only.',
  },
  {
    key: 'metrics.provider',
    path: 'metrics.provider',
    block: 'distribution',
    kind: oneOf(...storeNames, 'otlp', 'console', 'none'),
    env: ['TOKEN_METER_PROVIDER'],
    default: 'console',
    description:
      'Destination of records and metrics. Setting INFLUX_URL selects influxdb, CLICKHOUSE_URL clickhouse. If unset, standard OTEL_* export variables make the preload export over OTLP.',
  },
];
