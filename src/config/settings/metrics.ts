import type { Setting } from '../setting.ts';
import { boolean, integer, oneOf, string } from './kinds.ts';

/** First values of the switches, and where records go. */
export const metrics: readonly Setting[] = [
  {
    key: 'metrics.enabled',
    path: 'metrics.enabled',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_ENABLED'],
    default: true,
    description: 'Whether anything is measured and recorded at all.',
  },
  {
    key: 'metrics.token_statistics',
    path: 'metrics.tokenStatistics',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_TOKEN_STATISTICS'],
    default: true,
    description:
      'Whether tokens are read and counted; without, a record keeps who, what and how long.',
  },
  {
    key: 'metrics.provider',
    path: 'metrics.provider',
    block: 'distribution',
    kind: oneOf('influxdb', 'sqlite', 'otlp', 'console', 'none'),
    env: ['TOKEN_METER_PROVIDER'],
    default: 'console',
    description: 'Where records and metrics go. INFLUX_URL alone means influxdb.',
  },
  {
    key: 'metrics.sqlite.path',
    path: 'metrics.sqlite.path',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_SQLITE_PATH'],
    default: '.token-meter/usage.db',
    description: 'File of the embedded ledger.',
  },
  {
    key: 'metrics.sqlite.retention_days',
    path: 'metrics.sqlite.retentionDays',
    block: 'distribution',
    kind: integer(1, 36_500),
    env: ['TOKEN_METER_SQLITE_RETENTION_DAYS'],
    description: 'Days after which records are deleted; unset keeps them.',
  },
];
