import { messageOf } from '../doctor/finding.ts';
import { influxServer } from '../influx-server.ts';
import { setUpVersion2 } from './influx-2.ts';
import type { InfluxSetup } from './influx-setup.ts';

/** Resolves with the token that was made, if one was. */
export async function setUpInflux(setup: InfluxSetup): Promise<string | undefined> {
  const { url, token, add } = setup;
  let version: string;
  try {
    ({ version } = await influxServer(url, token));
  } catch (error) {
    add({ state: 'missing', says: messageOf(error) });
    return undefined;
  }
  if (version.startsWith('2')) return await setUpVersion2(setup);
  if (setup.makeToken) {
    add({ state: 'missing', says: `InfluxDB ${version} makes no token for one database` });
  }
  if (version.startsWith('3')) await setUpVersion3(setup);
  else await setUpVersion1(setup);
  return undefined;
}

async function setUpVersion1(setup: InfluxSetup): Promise<void> {
  const { url, bucket, retentionSeconds, dryRun, add } = setup;
  const [database = '', policy] = bucket.split('/');
  const quoted = (name: string): string => `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  const duration = retentionSeconds ? `${retentionSeconds}s` : 'INF';
  const statements = [
    policy === undefined && retentionSeconds !== undefined
      ? `CREATE DATABASE ${quoted(database)} WITH DURATION ${duration} NAME "autogen"`
      : `CREATE DATABASE ${quoted(database)}`,
    ...(policy === undefined
      ? []
      : [
          `CREATE RETENTION POLICY ${quoted(policy)} ON ${quoted(database)} DURATION ${duration} REPLICATION 1`,
        ]),
  ];
  for (const statement of statements) {
    if (dryRun) {
      add({ state: 'planned', says: statement });
      continue;
    }
    const response = await fetch(`${url.replace(/\/$/, '')}/query`, {
      method: 'POST',
      headers: version1Headers(setup),
      body: new URLSearchParams({ q: statement }),
    });
    const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(await response.text())?.[1];
    if (error === undefined && response.ok) add({ state: 'done', says: statement });
    else {
      const says = `${statement}: ${error ?? response.status}; it needs a user with ALL PRIVILEGES, or a policy of the same duration`;
      add({ state: 'missing', says });
    }
  }
}

function version1Headers({ username, password = '' }: InfluxSetup): Record<string, string> {
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

async function setUpVersion3(setup: InfluxSetup): Promise<void> {
  const { url, bucket, token, retentionSeconds, dryRun, add } = setup;
  if (dryRun) return add({ state: 'planned', says: `database ${bucket}` });
  const response = await fetch(`${url.replace(/\/$/, '')}/api/v3/configure/database`, {
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
  const text = await response.text();
  if (response.ok) return add({ state: 'done', says: `database ${bucket} made` });
  if (response.status === 409) {
    const kept = retentionSeconds === undefined ? '' : '; its retention stays as it is';
    return add({ state: 'done', says: `database ${bucket} is there${kept}` });
  }
  const isFull = /exceed limit of (\d+) databases/.exec(text)?.[1];
  add({
    state: 'missing',
    says:
      isFull === undefined
        ? `database ${bucket}: the server answers ${response.status}; it needs an admin token`
        : `database ${bucket}: InfluxDB 3 Core takes ${isFull} databases and has them; delete one, or name one of them as the bucket`,
  });
}
