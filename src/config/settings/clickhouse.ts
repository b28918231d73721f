import type { Setting } from '../setting.ts';
import { boolean, DAY_S, http, integer, seconds, string } from './kinds.ts';
import { spool, type SpoolConfig } from './spool.ts';

export interface ClickHouseConfig {
  readonly url: string;
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly timeoutMs: number;
  readonly asyncInsert: boolean;
  readonly proxyUrl?: string;
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
    readonly passphrase?: string;
  };
  readonly spool: SpoolConfig;
}

/** Connection to ClickHouse and delivery. The defaults are those of the exporter. */
export const clickhouse: readonly Setting[] = [
  {
    key: 'metrics.clickhouse.url',
    path: 'metrics.clickhouse.url',
    block: 'distribution',
    kind: http,
    env: ['CLICKHOUSE_URL'],
    default: 'http://localhost:8123',
    secret: true,
    description:
      'URL of the HTTP interface of ClickHouse; user, password and database may be part of it.',
  },
  {
    key: 'metrics.clickhouse.database',
    path: 'metrics.clickhouse.database',
    block: 'distribution',
    kind: string,
    env: ['CLICKHOUSE_DATABASE'],
    description: 'Database of the ledger. Unset means the path of the URL, else default.',
  },
  {
    key: 'metrics.clickhouse.username',
    path: 'metrics.clickhouse.username',
    block: 'distribution',
    kind: string,
    env: ['CLICKHOUSE_USER'],
    description: 'User name.',
  },
  {
    key: 'metrics.clickhouse.password',
    path: 'metrics.clickhouse.password',
    block: 'distribution',
    kind: string,
    env: ['CLICKHOUSE_PASSWORD'],
    secret: true,
    description: 'Password.',
  },
  {
    key: 'metrics.clickhouse.batch_size',
    path: 'metrics.clickhouse.batchSize',
    block: 'distribution',
    kind: integer(1, 100_000),
    env: ['TOKEN_METER_BATCH_SIZE'],
    default: 1000,
    description: 'Number of records that triggers an insert before the flush interval ends.',
  },
  {
    key: 'metrics.clickhouse.flush_interval',
    path: 'metrics.clickhouse.flushIntervalMs',
    block: 'distribution',
    kind: seconds(0.01, DAY_S),
    env: ['TOKEN_METER_FLUSH_INTERVAL'],
    default: 10_000,
    description: 'Maximum seconds that a record waits for a batch to fill.',
  },
  {
    key: 'metrics.clickhouse.timeout',
    path: 'metrics.clickhouse.timeoutMs',
    block: 'distribution',
    kind: seconds(0.1, 3600),
    env: ['TOKEN_METER_CLICKHOUSE_TIMEOUT'],
    default: 10_000,
    description: 'Timeout of a request in seconds.',
  },
  {
    key: 'metrics.clickhouse.async_insert',
    path: 'metrics.clickhouse.asyncInsert',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_CLICKHOUSE_ASYNC_INSERT'],
    default: false,
    description:
      'Whether the server gathers the inserts of many processes, for fleets whose processes write little each.',
  },
  {
    key: 'metrics.clickhouse.proxy_url',
    path: 'metrics.clickhouse.proxyUrl',
    block: 'distribution',
    kind: http,
    env: ['TOKEN_METER_CLICKHOUSE_PROXY_URL'],
    secret: true,
    description:
      'Proxy for requests to ClickHouse. Without it HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply.',
  },
  {
    key: 'metrics.clickhouse.tls.ca_file',
    path: 'metrics.clickhouse.tls.caFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_CLICKHOUSE_CA_FILE'],
    description: 'File of certificate authorities (PEM), which replace the default ones.',
  },
  {
    key: 'metrics.clickhouse.tls.cert_file',
    path: 'metrics.clickhouse.tls.certFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_CLICKHOUSE_CERT_FILE'],
    description: 'File of the client certificate (PEM).',
  },
  {
    key: 'metrics.clickhouse.tls.key_file',
    path: 'metrics.clickhouse.tls.keyFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_CLICKHOUSE_KEY_FILE'],
    description: 'File of the key of the client certificate (PEM).',
  },
  {
    key: 'metrics.clickhouse.tls.passphrase',
    path: 'metrics.clickhouse.tls.passphrase',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_CLICKHOUSE_KEY_PASSPHRASE'],
    secret: true,
    description: 'Passphrase of the key, if encrypted.',
  },
  ...spool('clickhouse'),
];
