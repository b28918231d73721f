import type { InfluxDB } from '@influxdata/influxdb-client';
import type {
  AuthorizationsAPI,
  Bucket,
  BucketsAPI,
  DbrpsAPI,
  OrgsAPI,
} from '@influxdata/influxdb-client-apis';
import { askInflux } from '../influx-server.ts';
import type { BucketSetup, InfluxSetup } from './influx-setup.ts';

interface RetentionRule {
  readonly type: 'expire';
  readonly everySeconds: number;
}

const rules = (seconds: number): RetentionRule[] =>
  seconds === 0 ? [] : [{ type: 'expire', everySeconds: seconds }];

/** Buckets, retention, DBRP mappings and, where asked for, a token of the buckets alone. */
export async function setUpVersion2(setup: InfluxSetup): Promise<string | undefined> {
  const { org, add } = setup;
  if (org === undefined || setup.token === undefined) {
    add({
      state: 'missing',
      says: 'InfluxDB 2 needs an organisation and a token: INFLUX_ORG, INFLUX_TOKEN',
    });
    return undefined;
  }
  const apis = await import('@influxdata/influxdb-client-apis');
  const needs = (what: string, right: string, error: unknown): void =>
    add({ state: 'missing', says: `${what}: ${reasonOf(error)}; the token needs ${right}` });
  const orgID = await organizationId(new apis.OrgsAPI(setup.client), org);
  const found: Bucket[] = [];
  for (const one of setup.buckets) {
    const buckets = new apis.BucketsAPI(setup.client);
    const bucket = await setUpBucket(buckets, setup, { ...one, org, orgID }, needs);
    if (bucket === undefined) continue;
    await mapForQueries(new apis.DbrpsAPI(setup.client), setup, bucket, needs);
    found.push(bucket);
  }
  if (setup.makeToken === undefined || found.length < setup.buckets.length) return undefined;
  const { madeBefore } = setup;
  if (madeBefore !== undefined && (await isAccepted(setup.client, madeBefore, found))) {
    add({ state: 'done', says: `the token that was made before is good for ${named(found)}` });
    return madeBefore;
  }
  return await makeToken(new apis.AuthorizationsAPI(setup.client), setup, found, needs);
}

type Needs = (what: string, right: string, error: unknown) => void;

interface BucketOfOrganization extends BucketSetup {
  readonly org: string;
  readonly orgID: string | undefined;
}

/** Undefined where it is not there afterwards. */
async function setUpBucket(
  buckets: BucketsAPI,
  { dryRun, add }: InfluxSetup,
  { bucket: name, retentionSeconds, org, orgID }: BucketOfOrganization,
  needs: Needs,
): Promise<Bucket | undefined> {
  let bucket: Bucket | undefined;
  try {
    const where = orgID === undefined ? { org } : { orgID };
    bucket = (await buckets.getBuckets({ ...where, name })).buckets?.[0];
  } catch (error) {
    // A name that is not there is a 404 where the organisation is named.
    if (statusOf(error) !== 404) {
      needs(`bucket ${name}`, 'the right to read buckets', error);
      return undefined;
    }
  }
  const owner = bucket?.orgID ?? orgID;
  if (bucket === undefined) {
    if (owner === undefined) {
      add({
        state: 'missing',
        says: `bucket ${name}: organisation ${org} is not there, or the token may not see it (read:orgs)`,
      });
      return undefined;
    }
    if (dryRun) {
      add({
        state: 'planned',
        says: `bucket ${name} in organisation ${org}, kept ${kept(retentionSeconds ?? 0)}`,
      });
      return undefined;
    }
    try {
      const body = { orgID: owner, name, retentionRules: rules(retentionSeconds ?? 0) };
      bucket = await buckets.postBuckets({ body });
      add({
        state: 'done',
        says: `bucket ${name} made in organisation ${org}, kept ${kept(retentionSeconds ?? 0)}`,
      });
    } catch (error) {
      needs(`bucket ${name}`, `the right to write buckets of organisation ${org}`, error);
      return undefined;
    }
  } else {
    const seconds = bucket.retentionRules[0]?.everySeconds ?? 0;
    if (retentionSeconds === undefined || retentionSeconds === seconds) {
      add({ state: 'done', says: `bucket ${name} is there, kept ${kept(seconds)}` });
    } else if (dryRun) {
      add({
        state: 'planned',
        says: `bucket ${name}: kept ${kept(retentionSeconds)} instead of ${kept(seconds)}`,
      });
    } else {
      try {
        const body = { retentionRules: rules(retentionSeconds) };
        await buckets.patchBucketsID({ bucketID: bucket.id ?? '', body });
        add({
          state: 'done',
          says: `bucket ${name}: kept ${kept(retentionSeconds)} instead of ${kept(seconds)}`,
        });
      } catch (error) {
        needs(`retention of bucket ${name}`, 'the right to write this bucket’s settings', error);
      }
    }
  }
  return bucket;
}

const named = (buckets: readonly Bucket[]): string =>
  buckets.map(({ name }) => `bucket ${name}`).join(' and ');

async function organizationId(orgs: OrgsAPI, org: string): Promise<string | undefined> {
  if (/^[0-9a-f]{16}$/.test(org)) return org;
  try {
    return (await orgs.getOrgs({ org })).orgs?.[0]?.id;
  } catch {
    // A token of one bucket sees no organisation, and needs none where the bucket is there.
    return undefined;
  }
}

/** 2.4 and later map every bucket by itself, unless another mapping of the name hides it. */
async function mapForQueries(
  dbrps: DbrpsAPI,
  { dryRun, add }: InfluxSetup,
  { id: bucketID = '', orgID = '', name }: Bucket,
  needs: Needs,
): Promise<void> {
  const [db = '', ...rest] = name.split('/');
  const rp = rest.length === 0 ? 'autogen' : rest.join('/');
  try {
    const { content = [] } = await dbrps.getDBRPs({ orgID, db });
    const mapping = content.find(
      (one) => one.retention_policy === rp || (rest.length === 0 && one.default),
    );
    if (mapping?.bucketID === bucketID) {
      return add({ state: 'done', says: `queries find the bucket as ${db}/${rp}` });
    }
    if (mapping !== undefined) {
      return add({
        state: 'missing',
        says: `queries of ${db}/${rp} read another bucket (DBRP mapping ${mapping.id}): delete it with influx v1 dbrp delete`,
      });
    }
  } catch (error) {
    return needs(
      'DBRP mapping',
      'the right to read DBRP mappings, or ask somebody who has it',
      error,
    );
  }
  const body = { orgID, bucketID, database: db, retention_policy: rp, default: rest.length === 0 };
  if (dryRun) return add({ state: 'planned', says: `DBRP mapping ${db}/${rp}` });
  try {
    await dbrps.postDBRP({ body });
    add({ state: 'done', says: `DBRP mapping ${db}/${rp} made` });
  } catch (error) {
    needs(`DBRP mapping ${db}/${rp}`, 'the right to write DBRP mappings', error);
  }
}

/** Whether the server knows the token, and the buckets are ones that it may see. */
async function isAccepted(
  client: InfluxDB,
  token: string,
  buckets: readonly Bucket[],
): Promise<boolean> {
  for (const { id, name } of buckets) {
    const { status, text } = await askInflux(
      client,
      `/api/v2/buckets?${new URLSearchParams({ name }).toString()}`,
      { method: 'GET', headers: { authorization: `Token ${token}` } },
    );
    if (status !== 200 || id === undefined || !text.includes(id)) return false;
  }
  return true;
}

async function makeToken(
  authorizations: AuthorizationsAPI,
  { dryRun, add }: InfluxSetup,
  buckets: readonly Bucket[],
  needs: Needs,
): Promise<string | undefined> {
  const names = named(buckets);
  const orgID = buckets[0]?.orgID ?? '';
  const description = `otel-token-meter: ${names}`;
  if (dryRun) {
    add({ state: 'planned', says: `token that may read and write ${names} alone` });
    return undefined;
  }
  try {
    const permissions = buckets.flatMap(({ id = '' }) => {
      const resource = { type: 'buckets' as const, id, orgID };
      return (['read', 'write'] as const).map((action) => ({ action, resource }));
    });
    const { token } = await authorizations.postAuthorizations({
      body: { orgID, description, permissions },
    });
    add({ state: 'done', says: `token made that may read and write ${names} alone` });
    return token;
  } catch (error) {
    needs('token', 'the right to write authorizations (an operator or all-access token)', error);
    return undefined;
  }
}

function kept(seconds: number): string {
  if (seconds === 0) return 'for ever';
  return seconds % 86_400 === 0 ? `${seconds / 86_400} days` : `${seconds / 3600} hours`;
}

const statusOf = (error: unknown): number | undefined =>
  (error as { statusCode?: number } | null)?.statusCode;

function reasonOf(error: unknown): string {
  const status = statusOf(error);
  if (status !== undefined) return `the server answers ${status}`;
  return error instanceof Error ? error.message : String(error);
}
