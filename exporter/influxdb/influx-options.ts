import { resolve as resolvePath } from 'node:path';
import { TokenMeterError } from '../../src/errors.ts';
import { type Connection, type ConnectionOptions, resolveConnection } from './connection.ts';
import { USAGE_FIELDS } from './usage-schema.ts';

export type InfluxVersion = '1' | '2' | '3';

export interface SpoolOptions {
  /**
   * Folder of the spool; made when missing. Any number of processes and threads may share it.
   * @default '.token-meter/spool'
   */
  readonly directory?: string | undefined;
  /** Bound on disk over all processes that share the folder. Minimum 65536. @default 1 GiB */
  readonly maxBytes?: number | undefined;
  /**
   * When segments are forced to the disk. A crash of the process never loses an accepted record; this
   * is about power cuts. @default 'interval', every second
   */
  readonly fsync?: 'never' | 'interval' | 'always' | undefined;
  /** What gives way when the bound is reached. @default 'drop-oldest' */
  readonly whenFull?: 'drop-oldest' | 'refuse' | undefined;
}

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
  /** Longest duration of one request; its socket is closed then. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

/** How to reach the server: what reading, repricing and erasing take. */
export type InfluxAccess = Pick<
  InfluxOptions,
  | 'url'
  | 'bucket'
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
    tags: Readonly<Record<string, string>>;
    connection: Connection;
    spool:
      | false
      | Readonly<{
          directory: string;
          maxBytes: number;
          fsync: 'never' | 'interval' | 'always';
          whenFull: 'drop-oldest' | 'refuse';
        }>;
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
  const invalid = (name: string, value: unknown, allowed: string): never => {
    throw new TokenMeterError('INVALID_OPTION', `${owner}: ${name} must be ${allowed}`, {
      value,
      allowed,
    });
  };
  const integer = (name: string, value: number | undefined, preset: number, min = 1): number => {
    if (value === undefined) return preset;
    if (!Number.isSafeInteger(value) || value < min) {
      invalid(name, value, `a whole number of at least ${min}`);
    }
    return value;
  };
  const text = (name: 'org' | 'token' | 'username' | 'password'): Partial<typeof options> => {
    const value = options[name];
    if (value === undefined || value === '') return {};
    // The value itself may be a secret.
    if (typeof value !== 'string') invalid(name, typeof value, 'a string');
    return { [name]: value };
  };
  const oneOf = <T extends string>(
    name: string,
    value: T | undefined,
    allowed: readonly T[],
  ): T => {
    const first = allowed[0] as T;
    if (value !== undefined && !allowed.includes(value)) {
      invalid(name, value, `one of ${allowed.join(', ')}`);
    }
    return value ?? first;
  };
  const address = typeof options.url === 'string' ? URL.parse(options.url) : null;
  if (address === null || !/^https?:$/.test(address.protocol)) {
    // Before the @ may stand a password.
    invalid('url', String(options.url).replace(/^.*@/s, ''), 'an http:// or https:// address');
  }
  if (typeof options.bucket !== 'string' || options.bucket === '') {
    invalid('bucket', options.bucket, 'a name');
  }
  for (const [name, value] of Object.entries(options.tags ?? {})) {
    if (name === '' || TAKEN.has(name) || name.startsWith('_') || typeof value !== 'string') {
      invalid(`tags.${name}`, value, 'a string, under a name that is neither time nor a field');
    }
  }
  const { spool = {} } = options;
  const target = separated(options.url);
  return {
    ...target,
    connection: resolveConnection(owner, target.url, options),
    bucket: options.bucket,
    ...(text('org') as { org?: string }),
    ...(text('token') as { token?: string }),
    ...(text('username') as { username?: string }),
    ...(text('password') as { password?: string }),
    version: oneOf('version', options.version, ['auto', '1', '2', '3']),
    batchSize: integer('batchSize', options.batchSize, 50),
    flushIntervalMs: integer('flushIntervalMs', options.flushIntervalMs, 10_000),
    timeoutMs: integer('timeoutMs', options.timeoutMs, 10_000),
    maxUserTags: integer('maxUserTags', options.maxUserTags, 10_000, 0),
    tags: options.tags ?? {},
    spool: spool !== false && {
      // The process may change its working folder.
      directory: resolvePath(spool.directory ?? '.token-meter/spool'),
      maxBytes: integer('spool.maxBytes', spool.maxBytes, 2 ** 30, 65_536),
      fsync: oneOf('spool.fsync', spool.fsync, ['interval', 'never', 'always']),
      whenFull: oneOf('spool.whenFull', spool.whenFull, ['drop-oldest', 'refuse']),
    },
  };
}

/** Requests take no address with a login in it, and messages would show it. */
function separated(url: string): Pick<ResolvedInfluxOptions, 'url' | 'username' | 'password'> {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { url: url.replace(/\/+$/, '') };
  address.username = '';
  address.password = '';
  return {
    url: address.href.replace(/\/+$/, ''),
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
  };
}

/** As it stands where a `%` was meant as one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
