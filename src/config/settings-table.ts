import type { Setting, SettingKind } from './setting.ts';

/**
 * Every setting, once: validation, environment variables, defaults, the table of the docs and the
 * JSON Schema are made from this list.
 */

const boolean: SettingKind = { type: 'boolean' };
const string: SettingKind = { type: 'string' };
const http: SettingKind = { type: 'url', protocols: ['http:', 'https:'] };
const oneOf = (...values: readonly string[]): SettingKind => ({ type: 'enum', values });
const integer = (min: number, max: number): SettingKind => ({ type: 'integer', min, max });
const seconds = (min: number, max: number): SettingKind => ({ type: 'seconds', min, max });

const DAY_S = 86_400;

const instrumentation: readonly Setting[] = [
  {
    key: 'counting',
    path: 'counting',
    block: 'instrumentation',
    kind: oneOf('missing', 'always', 'never'),
    env: ['TOKEN_METER_COUNTING'],
    default: 'missing',
    description:
      'When tokens are counted locally: where the provider reports none, always, or never.',
  },
  {
    key: 'metric_names',
    path: 'metricNames',
    block: 'instrumentation',
    kind: oneOf('v1_41', 'latest', 'both'),
    env: ['TOKEN_METER_METRIC_NAMES'],
    default: 'v1_41',
    description:
      'Generation of the GenAI conventions. OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental means latest.',
  },
  {
    key: 'metric_attributes',
    path: 'metricAttributes',
    block: 'instrumentation',
    kind: { type: 'list' },
    env: ['TOKEN_METER_METRIC_ATTRIBUTES'],
    default: [],
    description: 'Extra attributes that metrics carry. Each one multiplies the series.',
  },
  {
    key: 'capture_content',
    path: 'captureContent',
    block: 'instrumentation',
    kind: boolean,
    env: ['TOKEN_METER_CAPTURE_CONTENT'],
    default: false,
    description: 'Whether spans carry prompts and answers. Metrics and the ledger never do.',
  },
  {
    key: 'user_id_hash_key',
    path: 'userIdHashKey',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_USER_ID_HASH_KEY'],
    secret: true,
    description: 'When set, user ids are recorded as their HMAC-SHA-256 under this key.',
  },
];

const metrics: readonly Setting[] = [
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
    key: 'metrics.influxdb.url',
    path: 'metrics.influxdb.url',
    block: 'distribution',
    kind: http,
    env: ['INFLUX_URL'],
    default: 'http://localhost:8086',
    description: 'Address of InfluxDB 1.x, 2.x or 3.x.',
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
    description: 'Token of InfluxDB 2.x and 3.x.',
  },
  {
    key: 'metrics.influxdb.username',
    path: 'metrics.influxdb.username',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_USERNAME'],
    description: 'User of InfluxDB 1.x.',
  },
  {
    key: 'metrics.influxdb.password',
    path: 'metrics.influxdb.password',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_PASSWORD'],
    secret: true,
    description: 'Password of InfluxDB 1.x.',
  },
  {
    key: 'metrics.influxdb.org',
    path: 'metrics.influxdb.org',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_ORG'],
    description: 'Organisation of InfluxDB 2.x.',
  },
  {
    key: 'metrics.influxdb.bucket',
    path: 'metrics.influxdb.bucket',
    block: 'distribution',
    kind: string,
    env: ['INFLUX_BUCKET'],
    default: 'llm_metrics',
    description: 'Bucket; the database of 1.x and 3.x.',
  },
  {
    key: 'metrics.influxdb.batch_size',
    path: 'metrics.influxdb.batchSize',
    block: 'distribution',
    kind: integer(1, 100_000),
    env: ['TOKEN_METER_BATCH_SIZE'],
    default: 50,
    description: 'Records that make a write before its time.',
  },
  {
    key: 'metrics.influxdb.flush_interval',
    path: 'metrics.influxdb.flushIntervalMs',
    block: 'distribution',
    kind: seconds(0.01, DAY_S),
    env: ['TOKEN_METER_FLUSH_INTERVAL'],
    default: 10_000,
    description: 'Seconds between writes of less than a batch.',
  },
  {
    key: 'metrics.influxdb.timeout',
    path: 'metrics.influxdb.timeoutMs',
    block: 'distribution',
    kind: seconds(0.1, 3600),
    env: ['TOKEN_METER_INFLUX_TIMEOUT'],
    default: 10_000,
    description: 'Seconds one request may take.',
  },
  {
    key: 'metrics.influxdb.max_user_tags',
    path: 'metrics.influxdb.maxUserTags',
    block: 'distribution',
    kind: integer(0, 10_000_000),
    env: ['TOKEN_METER_MAX_USER_TAGS'],
    description:
      'User ids that become a tag; beyond, the tag reads (other) and the field keeps the id.',
  },
  {
    key: 'metrics.influxdb.tags',
    path: 'metrics.influxdb.tags',
    block: 'distribution',
    kind: { type: 'map' },
    env: ['TOKEN_METER_TAGS'],
    description: 'Tags of every line, such as region=eu.',
  },
  {
    key: 'metrics.influxdb.spool.enabled',
    path: 'metrics.influxdb.spool.enabled',
    block: 'distribution',
    kind: boolean,
    env: ['TOKEN_METER_SPOOL'],
    default: true,
    description: 'Whether records are kept on disk until InfluxDB has them.',
  },
  {
    key: 'metrics.influxdb.spool.directory',
    path: 'metrics.influxdb.spool.directory',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_SPOOL_DIRECTORY'],
    description: 'Folder of the spool.',
  },
  {
    key: 'metrics.influxdb.spool.max_bytes',
    path: 'metrics.influxdb.spool.maxBytes',
    block: 'distribution',
    kind: integer(65_536, Number.MAX_SAFE_INTEGER),
    env: ['TOKEN_METER_SPOOL_MAX_BYTES'],
    description: 'Bound of the spool on disk, in bytes.',
  },
  {
    key: 'metrics.influxdb.spool.fsync',
    path: 'metrics.influxdb.spool.fsync',
    block: 'distribution',
    kind: oneOf('never', 'interval', 'always'),
    env: ['TOKEN_METER_SPOOL_FSYNC'],
    description: 'When the spool is forced to the disk: what survives a power cut.',
  },
  {
    key: 'metrics.influxdb.spool.when_full',
    path: 'metrics.influxdb.spool.whenFull',
    block: 'distribution',
    kind: oneOf('drop-oldest', 'refuse'),
    env: ['TOKEN_METER_SPOOL_WHEN_FULL'],
    description: 'What gives way when the bound is reached.',
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

const liveSettings: readonly Setting[] = [
  {
    key: 'settings.store',
    path: 'settings.store',
    block: 'distribution',
    kind: oneOf('memory', 'file', 'redis'),
    env: ['TOKEN_METER_SETTINGS_STORE'],
    default: 'file',
    description: 'Where the live switches are kept. REDIS_URL alone means redis.',
  },
  {
    key: 'settings.file.path',
    path: 'settings.file.path',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_SETTINGS_PATH'],
    default: '.token-meter/settings.json',
    description: 'File of the file store.',
  },
  {
    key: 'settings.redis.url',
    path: 'settings.redis.url',
    block: 'distribution',
    kind: { type: 'url', protocols: ['redis:', 'rediss:'] },
    env: ['REDIS_URL'],
    default: 'redis://localhost:6379',
    description: 'Address of Redis.',
  },
  {
    key: 'settings.redis.key_prefix',
    path: 'settings.redis.keyPrefix',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_REDIS_KEY_PREFIX'],
    description: 'Start of every key in Redis.',
  },
  {
    key: 'settings.redis.poll_interval',
    path: 'settings.redis.pollIntervalMs',
    block: 'distribution',
    kind: seconds(0.1, 3600),
    env: ['TOKEN_METER_POLL_INTERVAL'],
    default: 15_000,
    description: 'Seconds between two looks, should every push be lost.',
  },
];

export const settingsTable: readonly Setting[] = [...instrumentation, ...metrics, ...liveSettings];
