import type { Setting } from '../setting.ts';
import { boolean, integer, oneOf, string } from './kinds.ts';

export interface SpoolConfig {
  readonly enabled: boolean;
  readonly directory: string;
  readonly maxBytes: number;
  readonly fsync: 'never' | 'interval' | 'always';
  readonly whenFull: 'drop-oldest' | 'refuse';
}

/** The spool of a store that is a server; the variables are the same for all of them. */
export const spool = (store: string): readonly Setting[] => [
  {
    key: `metrics.${store}.spool.enabled`,
    path: `metrics.${store}.spool.enabled`,
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_SPOOL'],
    default: true,
    description: 'Whether records are kept on disk until they are delivered.',
  },
  {
    key: `metrics.${store}.spool.directory`,
    path: `metrics.${store}.spool.directory`,
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_SPOOL_DIRECTORY'],
    default: '.token-meter/spool',
    description: 'Directory of the spool.',
  },
  {
    key: `metrics.${store}.spool.max_bytes`,
    path: `metrics.${store}.spool.maxBytes`,
    block: 'distribution',
    kind: integer(65_536, Number.MAX_SAFE_INTEGER),
    env: ['TOKEN_METER_SPOOL_MAX_BYTES'],
    default: 2 ** 30,
    description: 'Maximum size of the spool in bytes.',
  },
  {
    key: `metrics.${store}.spool.fsync`,
    path: `metrics.${store}.spool.fsync`,
    block: 'distribution',
    kind: oneOf('never', 'interval', 'always'),
    env: ['TOKEN_METER_SPOOL_FSYNC'],
    default: 'interval',
    description: 'When the spool is fsynced, which decides what survives a power failure.',
  },
  {
    key: `metrics.${store}.spool.when_full`,
    path: `metrics.${store}.spool.whenFull`,
    block: 'distribution',
    kind: oneOf('drop-oldest', 'refuse'),
    env: ['TOKEN_METER_SPOOL_WHEN_FULL'],
    default: 'drop-oldest',
    description: 'What is dropped when the spool is full: the oldest records or new ones.',
  },
];
