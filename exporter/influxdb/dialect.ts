import type { InfluxVersion, ResolvedInfluxOptions } from './influx-options.ts';
import type { Answer, Transport } from './transport.ts';

/** How one kind of server wants its lines. Timestamps are always nanoseconds. */
export interface Dialect {
  readonly version: InfluxVersion;
  /** Path and query of a write. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether a string field may hold a line break. */
  readonly multilineStrings: boolean;
  /** Tried when the server does not know `path`. */
  readonly fallback?: Dialect;
}

type Target = Pick<
  ResolvedInfluxOptions,
  'bucket' | 'org' | 'token' | 'username' | 'password' | 'version'
>;

/** The dialect of a version, or of what the server says about itself. Rejects while it says nothing, or is not well. */
export async function chooseDialect(
  target: Target,
  transport: Transport,
  timeoutMs: number,
): Promise<Dialect> {
  if (target.version !== 'auto') return dialectOf(target.version, target, true);
  // 3.x answers /ping to authenticated requests only, and HEAD not at all.
  const headers = target.token === undefined ? {} : { authorization: `Bearer ${target.token}` };
  const answer = await transport.request({ method: 'GET', path: '/ping', headers, timeoutMs });
  return dialectFromPing(target, answer);
}

export function dialectFromPing(target: Target, answer: Answer): Dialect {
  const version = /^v?(\d+)\./.exec(answer.headers['x-influxdb-version'] ?? versionIn(answer))?.[1];
  if (version === '1' || version === '2' || version === '3') {
    return dialectOf(version, target, true);
  }
  // 3.x puts its version on no other answer, but this header on all.
  if (answer.headers['cluster-uuid'] !== undefined) return dialectOf('3', target, true);
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
    throw new Error(`/ping is answered with HTTP ${answer.status}`);
  }
  // VictoriaMetrics, Telegraf and others: they take either path, and no line breaks.
  return dialectOf(target.token === undefined ? '1' : '2', target, false);
}

function versionIn({ body }: Answer): string {
  return /"version"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? '';
}

function dialectOf(version: InfluxVersion, target: Target, multilineStrings: boolean): Dialect {
  if (version === '1') return version1(target, multilineStrings);
  // 2.x knows user and password only on the paths of 1.x.
  if (version === '2' && target.token === undefined && target.username !== undefined) {
    return { ...version1(target, multilineStrings), version };
  }
  const version2: Dialect = {
    version: '2',
    path: `/api/v2/write?${query({ org: target.org, bucket: target.bucket, precision: 'ns' })}`,
    headers: target.token === undefined ? {} : { authorization: `Token ${target.token}` },
    multilineStrings,
  };
  if (version === '2') return version2;
  return {
    version,
    path: `/api/v3/write_lp?${query({ db: target.bucket, precision: 'nanosecond', accept_partial: 'true' })}`,
    headers: target.token === undefined ? {} : { authorization: `Bearer ${target.token}` },
    multilineStrings,
    // Cloud Dedicated and Clustered have no write_lp.
    fallback: { ...version2, version: '3' },
  };
}

function version1(target: Target, multilineStrings: boolean): Dialect {
  const [db = '', ...policy] = target.bucket.split('/');
  const rp = policy.length === 0 ? undefined : policy.join('/');
  return {
    version: '1',
    // `ns` is no unit here and would be answered with 204 all the same.
    path: `/write?${query({ db, rp, precision: 'n' })}`,
    headers: version1Authorization(target),
    multilineStrings,
  };
}

function version1Authorization({ username, password = '', token }: Target): Dialect['headers'] {
  if (username !== undefined) return { authorization: basic(`${username}:${password}`) };
  if (token === undefined) return {};
  // `user:password` is how 1.8 wants a token; before, Basic is the only way. Else it is a JWT.
  return { authorization: token.includes(':') ? basic(token) : `Bearer ${token}` };
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function query(parameters: Record<string, string | undefined>): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`)
    .join('&');
}
