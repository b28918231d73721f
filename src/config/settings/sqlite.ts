import type { Setting } from '../setting.ts';
import { integer, string } from './kinds.ts';

export interface SqliteConfig {
  readonly path: string;
  readonly retentionDays?: number;
  readonly rollUpRetentionDays?: number;
}

/** The embedded ledger. */
export const sqlite: readonly Setting[] = [
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
  {
    key: 'metrics.sqlite.rollup_retention_days',
    path: 'metrics.sqlite.rollUpRetentionDays',
    block: 'distribution',
    kind: integer(1, 36_500),
    env: ['TOKEN_METER_SQLITE_ROLLUP_RETENTION_DAYS'],
    description:
      'Days after which sums are deleted, not less than `retention_days`. Unset deletes them with the records.',
  },
];
