import { TokenMeterError } from '../../errors.ts';

interface Node {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, taken apart. */
export interface RedisAddress {
  readonly topology: 'single' | 'cluster' | 'sentinel';
  readonly nodes: readonly Node[];
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** Not with a cluster, which has one database only. */
  readonly db?: number;
  /** Sentinel's name of the master group. */
  readonly group?: string;
}

export const REDIS_ADDRESS_FORMS =
  'redis://[user:password@]host[:port][/db], rediss:// for TLS, redis+cluster://host:port,host:port, redis+sentinel://host:port,host:port/group[/db]';

/** Throws `INVALID_OPTION`; the message never holds what may be a password. */
export function parseRedisUrl(url: string): RedisAddress {
  const match =
    /^redis(s)?(?:\+(cluster|sentinel))?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?$/.exec(url);
  if (!match) throw invalid('cannot be read');
  const [, secure, topology = 'single', credentials, hosts = '', path = ''] = match;
  const segments = path.split('/').filter((segment) => segment !== '');
  const group = topology === 'sentinel' ? segments.shift() : undefined;
  if (topology === 'sentinel' && group === undefined) throw invalid('names no Sentinel group');
  const [database, ...rest] = segments;
  if (rest.length > 0 || (database !== undefined && !/^\d{1,4}$/.test(database))) {
    throw invalid('has a path that is no database number');
  }
  const defaultPort = topology === 'sentinel' ? 26_379 : 6379;
  return {
    topology: topology as RedisAddress['topology'],
    nodes: hosts.split(',').map((host) => nodeOf(host, defaultPort)),
    tls: secure !== undefined,
    ...credentialsOf(credentials),
    ...(database === undefined ? {} : { db: Number(database) }),
    ...(group === undefined ? {} : { group: decoded(group) }),
  };
}

export function isRedisUrl(text: string): boolean {
  try {
    parseRedisUrl(text);
    return true;
  } catch {
    return false;
  }
}

function nodeOf(text: string, defaultPort: number): Node {
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port ?? 1) > 65_535) throw invalid('names no usable host');
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function credentialsOf(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined || text === '') return {};
  const colon = text.indexOf(':');
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? undefined : decoded(text.slice(colon + 1));
  return { ...(username && { username }), ...(password && { password }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('is not percent-encoded right');
  }
}

function invalid(what: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', `the Redis address ${what}`, {
    allowed: REDIS_ADDRESS_FORMS,
  });
}
