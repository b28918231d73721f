import { messageOf } from '../doctor/finding.ts';
import { askInflux, influxServer } from '../influx-server.ts';
import { setUpVersion2 } from './influx-2.ts';
import type { BucketSetup, InfluxSetup } from './influx-setup.ts';

/** Resolves with the token that was made, if one was. */
export async function setUpInflux(setup: InfluxSetup): Promise<string | undefined> {
  const { client, url, token, add } = setup;
  let version: string;
  try {
    ({ version } = await influxServer(client, url, token));
  } catch (error) {
    add({ state: 'missing', says: messageOf(error) });
    return undefined;
  }
  if (version.startsWith('2')) return await setUpVersion2(setup);
  const is3 = version.startsWith('3');
  for (const bucket of setup.buckets) {
    await (is3 ? setUpVersion3 : setUpVersion1)(setup, bucket);
  }
  if (setup.makeToken === undefined) return undefined;
  const none = `InfluxDB ${version} makes no token for one database`;
  if (!is3 || setup.makeToken === 'new' || token === undefined) {
    add({ state: 'missing', says: none });
    return undefined;
  }
  add({ state: 'done', says: `${none}: the application gets the token of this set-up` });
  return token;
}

async function setUpVersion1(
  setup: InfluxSetup,
  { bucket, retentionSeconds }: BucketSetup,
): Promise<void> {
  const { dryRun, add } = setup;
  const [database = '', policy] = bucket.split('/');
  const quoted = (name: string): string => `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  const duration = retentionSeconds ? `${retentionSeconds}s` : 'INF';
  const policyName = quoted(policy ?? 'autogen');
  const isOfPolicy = policy !== undefined || retentionSeconds !== undefined;
  const statements = [
    policy === undefined && retentionSeconds !== undefined
      ? `CREATE DATABASE ${quoted(database)} WITH DURATION ${duration} NAME ${policyName}`
      : `CREATE DATABASE ${quoted(database)}`,
    ...(policy === undefined
      ? []
      : [
          `CREATE RETENTION POLICY ${policyName} ON ${quoted(database)} DURATION ${duration} REPLICATION 1`,
        ]),
  ];
  for (const statement of statements) {
    if (dryRun) {
      add({ state: 'planned', says: statement });
      continue;
    }
    let says = statement;
    let error = await executeVersion1(setup, statement);
    if (isOfPolicy && error !== undefined && /already exists|conflicts/.test(error)) {
      says = `policy ${policyName} of ${quoted(database)} is there`;
      error = undefined;
      if (retentionSeconds !== undefined) {
        says = `ALTER RETENTION POLICY ${policyName} ON ${quoted(database)} DURATION ${duration}`;
        error = await executeVersion1(setup, says);
      }
    }
    if (error === undefined) add({ state: 'done', says });
    else add({ state: 'missing', says: `${says}: ${error}; it needs a user with ALL PRIVILEGES` });
  }
}

/** Returns what the server says against it. */
async function executeVersion1(setup: InfluxSetup, q: string): Promise<string | undefined> {
  const { status, text } = await askInflux(setup.client, '/query', {
    method: 'POST',
    headers: {
      ...version1Headers(setup),
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    },
    body: new URLSearchParams({ q }).toString(),
  });
  const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return error ?? (status < 300 ? undefined : String(status));
}

function version1Headers({ username, password = '' }: InfluxSetup): Record<string, string> {
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

async function setUpVersion3(
  setup: InfluxSetup,
  { bucket, retentionSeconds }: BucketSetup,
): Promise<void> {
  const { client, token, dryRun, add } = setup;
  if (dryRun) return add({ state: 'planned', says: `database ${bucket}` });
  const { status, text } = await askInflux(client, '/api/v3/configure/database', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      db: bucket,
      ...(retentionSeconds && { retention_period: `${retentionSeconds}s` }),
    }),
  });
  if (status < 300) return add({ state: 'done', says: `database ${bucket} made` });
  if (status === 409) {
    const kept = retentionSeconds === undefined ? '' : '; its retention stays as it is';
    return add({ state: 'done', says: `database ${bucket} is there${kept}` });
  }
  const isFull = /exceed limit of (\d+) databases/.exec(text)?.[1];
  add({
    state: 'missing',
    says:
      isFull === undefined
        ? `database ${bucket}: the server answers ${status}; it needs an admin token`
        : `database ${bucket}: InfluxDB 3 Core takes ${isFull} databases and has them; delete one, or name one of them as the bucket`,
  });
}
