import { separateLogin } from '../connection/address.ts';
import {
  type Connection,
  type ConnectionOptions,
  resolveConnection,
} from '../connection/connection.ts';
import { OptionChecks } from '../connection/option-checks.ts';
import {
  type ResolvedSpoolOptions,
  resolveSpoolOptions,
  type SpoolOptions,
} from '../delivery/spool-options.ts';
import { USAGE_FIELDS } from './usage-schema.ts';

export type InfluxVersion = '1' | '2' | '3';

export interface InfluxOptions extends ConnectionOptions {
  /**
   * Base address, `http://localhost:8086`; a path before the API is kept. `user:password@` in it is as
   * good as the two options, which win.
   */
  readonly url: string;
  /** Bucket (2.x), database (3.x), `database` or `database/retention policy` (1.x). */
  readonly bucket: string;
  /** 2.x only: name or id of the organisation. */
  readonly org?: string | undefined;
  readonly token?: string | undefined;
  /** 1.x, or the 1.x compatibility of 2.x. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** @default 'auto', asked of the server's `/ping` */
  readonly version?: 'auto' | InfluxVersion | undefined;
  /** Lines that start a send at once; while more wait a send grows to 5000. @default 50 */
  readonly batchSize?: number | undefined;
  /** Longest wait of a line for company. @default 10000 */
  readonly flushIntervalMs?: number | undefined;
  /** `false`: lines wait in memory only, and a crash of the process loses them. */
  readonly spool?: SpoolOptions | false | undefined;
  /** Constant tags of every line. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** User ids a day that become a tag; everybody beyond is `(other)`. @default 10000 */
  readonly maxUserTags?: number | undefined;
  /** Values a day that become a tag of the team, and of each dimension; all others are `(other)`. @default 1000 */
  readonly maxDimensionTags?: number | undefined;
  /**
   * Sums up closed hours beside the calls, so that long ranges need not read them; one of the processes that
   * write to the bucket does it, if it may read. The same in all processes of a bucket: calls that arrive late are
   * not marked where it is off. @default true
   */
  readonly rollUps?: boolean | undefined;
  /**
   * Where roll-ups are kept, so that sums may stay longer than calls: a bucket (2.x), database (3.x), `database` or
   * `database/retention policy` (1.x) with a retention of its own. The same in all processes of `bucket`; ledgers may
   * share one. @default with the calls
   */
  readonly rollUpBucket?: string | undefined;
  /** Longest duration of one request; its socket is closed then. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

/** How to reach the server: what reading, repricing and erasing take. */
export type InfluxAccess = Pick<
  InfluxOptions,
  | 'url'
  | 'bucket'
  | 'rollUpBucket'
  | 'org'
  | 'token'
  | 'username'
  | 'password'
  | 'version'
  | 'timeoutMs'
  | 'proxyUrl'
  | 'tls'
>;

export type ResolvedInfluxOptions = Readonly<
  Required<Pick<InfluxOptions, 'url' | 'bucket'>> & {
    version: 'auto' | InfluxVersion;
    org?: string;
    token?: string;
    username?: string;
    password?: string;
    batchSize: number;
    flushIntervalMs: number;
    timeoutMs: number;
    maxUserTags: number;
    maxDimensionTags: number;
    rollUps: boolean;
    rollUpBucket?: string;
    tags: Readonly<Record<string, string>>;
    connection: Connection;
    spool: ResolvedSpoolOptions | false;
  }
>;

/** A server refuses a tag with the name of a field, or hides one of the two. */
const TAKEN = new Set<string>([
  'time',
  ...Object.values(USAGE_FIELDS),
  'value',
  'count',
  'sum',
  'min',
  'max',
]);

/** Fills in the defaults. Throws `INVALID_OPTION`; `owner` names the class in its message. */
export function resolveInfluxOptions(owner: string, options: InfluxOptions): ResolvedInfluxOptions {
  const check = new OptionChecks(owner);
  check.httpAddress('url', options.url);
  if (typeof options.bucket !== 'string' || options.bucket === '') {
    check.invalid('bucket', options.bucket, 'a name');
  }
  const { rollUpBucket } = options;
  if (rollUpBucket === options.bucket) {
    check.invalid('rollUpBucket', rollUpBucket, 'another name than that of the bucket of calls');
  }
  if (Boolean(rollUpBucket) && options.rollUps === false) {
    check.invalid('rollUpBucket', rollUpBucket, 'absent where rollUps is false');
  }
  for (const [name, value] of Object.entries(options.tags ?? {})) {
    if (name === '' || TAKEN.has(name) || name.startsWith('_') || typeof value !== 'string') {
      check.invalid(
        `tags.${name}`,
        value,
        'a string, under a name that is neither time nor a field',
      );
    }
  }
  const target = separateLogin(options.url);
  return {
    ...target,
    connection: resolveConnection(owner, target.url, options),
    bucket: options.bucket,
    ...check.text('rollUpBucket', rollUpBucket),
    ...check.text('org', options.org),
    ...check.text('token', options.token),
    ...check.text('username', options.username),
    ...check.text('password', options.password),
    version: check.oneOf('version', options.version, ['auto', '1', '2', '3']),
    batchSize: check.integer('batchSize', options.batchSize, 50),
    flushIntervalMs: check.integer('flushIntervalMs', options.flushIntervalMs, 10_000),
    timeoutMs: check.integer('timeoutMs', options.timeoutMs, 10_000),
    maxUserTags: check.integer('maxUserTags', options.maxUserTags, 10_000, 0),
    maxDimensionTags: check.integer('maxDimensionTags', options.maxDimensionTags, 1000, 0),
    rollUps: options.rollUps !== false,
    tags: options.tags ?? {},
    spool: resolveSpoolOptions(check, options.spool),
  };
}
