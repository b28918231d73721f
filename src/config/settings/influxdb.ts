import type { Setting } from '../setting.ts';
import { boolean, DAY_S, http, integer, oneOf, seconds, string } from './kinds.ts';
import { spool, type SpoolConfig } from './spool.ts';

export interface InfluxConfig {
  readonly url: string;
  readonly version: 'auto' | '1' | '2' | '3';
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly org?: string;
  readonly bucket: string;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly timeoutMs: number;
  readonly proxyUrl?: string;
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
    readonly passphrase?: string;
  };
  readonly maxUserTags: number;
  readonly maxDimensionTags: number;
  readonly rollUps: boolean;
  readonly rollUpBucket?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly spool: SpoolConfig;
}

/** Connection to InfluxDB and delivery. The defaults are those of the exporter. */
export const influxdb: readonly Setting[] = [
  {
    key: 'metrics.influxdb.url',
    path: 'metrics.influxdb.url',
    block: 'distribution',
    kind: http,
    env: ['INFLUX_URL'],
    default: 'http://localhost:8086',
    description: 'URL of InfluxDB 1.x, 2.x or 3.x.',
  },
  {
    key: 'metrics.influxdb.version',
    path: 'metrics.influxdb.version',
    block: 'distribution',
    kind: oneOf('auto', '1', '2', '3'),
    env: ['INFLUX_VERSION'],
    default: 'auto',
    description: 'Major version of InfluxDB.',
  },
  {
    key: 'metrics.influxdb.token',
    path: 'metrics.influxdb.token',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_TOKEN'],
    secret: true,
    description: 'Access token for InfluxDB 2.x and 3.x.',
  },
  {
    key: 'metrics.influxdb.username',
    path: 'metrics.influxdb.username',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_USERNAME'],
    description: 'User name for InfluxDB 1.x.',
  },
  {
    key: 'metrics.influxdb.password',
    path: 'metrics.influxdb.password',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_PASSWORD'],
    secret: true,
    description: 'Password for InfluxDB 1.x.',
  },
  {
    key: 'metrics.influxdb.org',
    path: 'metrics.influxdb.org',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_ORG'],
    description: 'Organisation in InfluxDB 2.x.',
  },
  {
    key: 'metrics.influxdb.bucket',
    path: 'metrics.influxdb.bucket',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_BUCKET'],
    default: 'llm_metrics',
    description: 'Bucket, or database in 1.x and 3.x.',
  },
  {
    key: 'metrics.influxdb.batch_size',
    path: 'metrics.influxdb.batchSize',
    block: 'distribution',
    kind: integer(1, 100_000),
    env: ['TOKEN_METER_BATCH_SIZE'],
    default: 50,
    description: 'Number of records that triggers a write before the flush interval ends.',
  },
  {
    key: 'metrics.influxdb.flush_interval',
    path: 'metrics.influxdb.flushIntervalMs',
    block: 'distribution',
    kind: seconds(0.01, DAY_S),
    env: ['TOKEN_METER_FLUSH_INTERVAL'],
    default: 10_000,
    description: 'Maximum seconds that a record waits for a batch to fill.',
  },
  {
    key: 'metrics.influxdb.timeout',
    path: 'metrics.influxdb.timeoutMs',
    block: 'distribution',
    kind: seconds(0.1, 3600),
    env: ['TOKEN_METER_INFLUX_TIMEOUT'],
    default: 10_000,
    description: 'Timeout of a request in seconds.',
  },
  {
    key: 'metrics.influxdb.proxy_url',
    path: 'metrics.influxdb.proxyUrl',
    block: 'distribution',
    kind: http,
    env: ['TOKEN_METER_INFLUX_PROXY_URL'],
    secret: true,
    description:
      'Proxy for requests to InfluxDB. Without it HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply.',
  },
  {
    key: 'metrics.influxdb.tls.ca_file',
    path: 'metrics.influxdb.tls.caFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_INFLUX_CA_FILE'],
    description: 'File of certificate authorities (PEM), which replace the default ones.',
  },
  {
    key: 'metrics.influxdb.tls.cert_file',
    path: 'metrics.influxdb.tls.certFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_INFLUX_CERT_FILE'],
    description: 'File of the client certificate (PEM).',
  },
  {
    key: 'metrics.influxdb.tls.key_file',
    path: 'metrics.influxdb.tls.keyFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_INFLUX_KEY_FILE'],
    description: 'File of the key of the client certificate (PEM).',
  },
  {
    key: 'metrics.influxdb.tls.passphrase',
    path: 'metrics.influxdb.tls.passphrase',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_INFLUX_KEY_PASSPHRASE'],
    secret: true,
    description: 'Passphrase of the key, if encrypted.',
  },
  {
    key: 'metrics.influxdb.max_user_tags',
    path: 'metrics.influxdb.maxUserTags',
    block: 'distribution',
    kind: integer(0, 10_000_000),
    env: ['TOKEN_METER_MAX_USER_TAGS'],
    default: 10_000,
    description:
      'User ids per day that become a tag value. Further users get the tag value (other); the field always has the id.',
  },
  {
    key: 'metrics.influxdb.max_dimension_tags',
    path: 'metrics.influxdb.maxDimensionTags',
    block: 'distribution',
    kind: integer(0, 10_000_000),
    env: ['TOKEN_METER_MAX_DIMENSION_TAGS'],
    default: 1000,
    description:
      'Teams, and values of each dimension, per day that become a tag value. Further ones get the tag value (other), and a field has the exact value.',
  },
  {
    key: 'metrics.influxdb.roll_ups',
    path: 'metrics.influxdb.rollUps',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_ROLL_UPS'],
    default: true,
    description:
      'Whether closed hours are summed up beside the calls, which makes long ranges fast. The token must be allowed to read.',
  },
  {
    key: 'metrics.influxdb.rollup_bucket',
    path: 'metrics.influxdb.rollUpBucket',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_ROLLUP_BUCKET'],
    description:
      'Bucket of the sums of closed hours, whose retention may be longer than that of the calls; `otel-token-meter setup influxdb` makes it. A database, or `database/retention policy`, in 1.x. Unset keeps them in the bucket of the calls.',
  },
  {
    key: 'metrics.influxdb.tags',
    path: 'metrics.influxdb.tags',
    block: 'distribution',
    kind: { type: 'map' },
    env: ['TOKEN_METER_TAGS'],
    description: 'Tags added to every line, such as region=eu.',
  },
  ...spool('influxdb'),
];
