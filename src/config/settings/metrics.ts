import type { Setting } from '../setting.ts';
import { boolean, integer, oneOf, string } from './kinds.ts';

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
    kind: oneOf('influxdb', 'sqlite', 'otlp', 'console', 'none'),
    env: ['TOKEN_METER_PROVIDER'],
    default: 'console',
    description: 'Destination of records and metrics. Setting INFLUX_URL selects influxdb.',
  },
  {
    key: 'metrics.sqlite.path',
    path: 'metrics.sqlite.path',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_SQLITE_PATH'],
    default: '.token-meter/usage.db',
    description: 'Path of the SQLite ledger.',
  },
  {
    key: 'metrics.sqlite.retention_days',
    path: 'metrics.sqlite.retentionDays',
    block: 'distribution',
    kind: integer(1, 36_500),
    env: ['TOKEN_METER_SQLITE_RETENTION_DAYS'],
    description: 'Days after which records are deleted. Unset keeps them.',
  },
];
