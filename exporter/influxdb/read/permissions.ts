import { TokenMeterError } from '../../../src/errors.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import type { Transport } from '../transport.ts';

type Target = Pick<ResolvedInfluxOptions, 'url' | 'bucket' | 'org' | 'token' | 'timeoutMs'>;

interface Bucket {
  readonly id: string;
  readonly orgID: string;
}

/**
 * `/query` of 2.x reads the organisation of the token and ignores `org`; an operator token, which may write
 * everywhere, would be answered with another organisation's bucket of the same name. Rejects where that
 * can happen. A server that lists no buckets is taken at its word.
 */
export async function checkOrganization(transport: Transport, target: Target): Promise<void> {
  const { org, bucket, token } = target;
  if (org === undefined || token === undefined) return;
  const seen = await bucketsNamed(transport, target, {});
  if (seen === undefined) return;
  const own = await bucketsNamed(transport, target, orgParameter(org));
  if (own === undefined) return;
  const ids = new Set(own.map(({ id }) => id));
  if (seen.every(({ id }) => ids.has(id))) return;
  throw new TokenMeterError(
    'BACKEND_REFUSED',
    ids.size === 0
      ? `bucket ${bucket} belongs to another organisation than ${org}`
      : `the token sees a bucket ${bucket} in several organisations, and InfluxDB 2 answers queries ` +
          `for that of the token alone: use a token made in organisation ${org}`,
    { value: org, allowed: 'a token of the organisation that is configured' },
  );
}

/** The buckets of a name that the token may see; undefined: the server does not say. */
async function bucketsNamed(
  transport: Transport,
  { bucket, token, timeoutMs }: Target,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly Bucket[] | undefined> {
  const query = new URLSearchParams({ name: bucket, limit: '100', ...parameters });
  const { status, body } = await transport.request({
    method: 'GET',
    path: `/api/v2/buckets?${query.toString()}`,
    headers: { authorization: `Token ${token ?? ''}` },
    timeoutMs,
  });
  if (status === 404 && 'org' in parameters) return [];
  if (status !== 200) return undefined;
  try {
    return (JSON.parse(body) as { readonly buckets?: readonly Bucket[] }).buckets;
  } catch {
    return undefined;
  }
}

/** 16 hexadecimal digits are an id. */
const orgParameter = (org: string): Record<string, string> =>
  /^[0-9a-f]{16}$/.test(org) ? { orgID: org } : { org };

/** How servers refuse to read what is not there, or what a token of 2.x may not see. */
export const isNotSeen = ({ message }: TokenMeterError): boolean =>
  /database not found|retention policy|unauthorized|insufficient permissions/i.test(message);

/**
 * What the token lacks, where 2.x says that there is no such database. Undefined: something else is wrong.
 * A write without a line shows whether it may write: nothing is stored by it.
 */
export async function missingPermission(
  transport: Transport,
  { url, bucket, org, token, timeoutMs }: Target,
  error: TokenMeterError,
): Promise<string | undefined> {
  if (token === undefined || org === undefined || !isNotSeen(error)) return undefined;
  const query = new URLSearchParams({ bucket, ...orgParameter(org) });
  const written = await transport
    .request({
      method: 'POST',
      path: `/api/v2/write?${query.toString()}`,
      headers: { authorization: `Token ${token}` },
      body: Buffer.alloc(0),
      timeoutMs,
    })
    .catch(() => undefined);
  const where = `bucket ${bucket} of organisation ${org} at ${new URL(url).host}`;
  if (written?.status === 204)
    return `this token may write and not read ${where} (2.x reads the token's own organisation)`;
  if (written?.status === 403) return `this token may neither read nor write ${where}`;
  if (written?.status === 404) return `there is no ${where}`;
  if (written?.status === 401) return `this token is unknown or inactive at ${new URL(url).host}`;
  return undefined;
}
