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
  type SpoolConfig,
  spoolOfConfig,
  type SpoolOptions,
} from '../delivery/spool-options.ts';

/** How to reach the server: what reading, repricing, erasing and setting up take. */
export interface ClickHouseAccess extends ConnectionOptions {
  /**
   * Address of the HTTP interface, `http://localhost:8123`. `user:password@` and a path in it are as good as
   * `username`, `password` and `database`, which win.
   */
  readonly url: string;
  /** @default the path of `url`, else `default` */
  readonly database?: string | undefined;
  /** @default 'default' */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Longest duration of one request. @default 10000 for writes, 60000 for reads */
  readonly timeoutMs?: number | undefined;
}

export interface ClickHouseOptions extends ClickHouseAccess {
  /** Records that start an insert at once; while more wait an insert grows to 5000. @default 1000 */
  readonly batchSize?: number | undefined;
  /** Longest wait of a record for company. @default 10000 */
  readonly flushIntervalMs?: number | undefined;
  /**
   * The server gathers the inserts of many processes into one part (`async_insert` with `wait_for_async_insert`):
   * for fleets of hundreds of processes that each write little. @default false
   */
  readonly asyncInsert?: boolean | undefined;
  /** `false`: records wait in memory only, and a crash of the process loses them. */
  readonly spool?: SpoolOptions | false | undefined;
}

/** The options as the configuration file has them. */
export interface ClickHouseStoreConfig extends Omit<ClickHouseOptions, 'spool'> {
  readonly spool?: SpoolConfig;
}

export function clickHouseOptions({ spool, ...options }: ClickHouseStoreConfig): ClickHouseOptions {
  return { ...options, ...spoolOfConfig(spool) };
}

export interface ResolvedAccess {
  /** Without a login, a path and a slash at its end. */
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly timeoutMs: number;
  readonly connection: Connection;
}

export interface ResolvedClickHouseOptions extends ResolvedAccess {
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly asyncInsert: boolean;
  readonly spool: ResolvedSpoolOptions | false;
}

const WRITE_TIMEOUT_MS = 10_000;
export const READ_TIMEOUT_MS = 60_000;

/** Throws `INVALID_OPTION`; `owner` names the class or function in its message. */
export function resolveAccess(
  owner: string,
  options: ClickHouseAccess,
  timeoutMs: number,
): ResolvedAccess {
  const check = new OptionChecks(owner);
  check.httpAddress('url', options.url);
  const address = separateLogin(options.url);
  const { origin, pathname } = new URL(address.url);
  const inPath = decodeURIComponent(pathname.replaceAll(/^\/+|\/+$/g, ''));
  if (inPath.includes('/'))
    check.invalid('url', address.url, 'an address with at most a database as its path');
  const { database = inPath === '' ? 'default' : inPath } = check.text(
    'database',
    options.database,
  );
  const { username = address.username ?? 'default' } = check.text('username', options.username);
  const { password = address.password ?? '' } = check.text('password', options.password);
  return {
    url: origin,
    database,
    username,
    password,
    timeoutMs: check.integer('timeoutMs', options.timeoutMs, timeoutMs),
    connection: resolveConnection(owner, origin, options),
  };
}

/** Fills in the defaults. Throws `INVALID_OPTION`. */
export function resolveClickHouseOptions(
  owner: string,
  options: ClickHouseOptions,
): ResolvedClickHouseOptions {
  const check = new OptionChecks(owner);
  return {
    ...resolveAccess(owner, options, WRITE_TIMEOUT_MS),
    batchSize: check.integer('batchSize', options.batchSize, 1000),
    flushIntervalMs: check.integer('flushIntervalMs', options.flushIntervalMs, 10_000),
    asyncInsert: options.asyncInsert === true,
    spool: resolveSpoolOptions(check, options.spool),
  };
}
