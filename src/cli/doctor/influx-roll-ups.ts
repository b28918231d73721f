import type { InfluxDB } from '@influxdata/influxdb-client';
import type { InfluxConfig } from '../../config/index.ts';
import { askInflux } from '../influx-server.ts';
import { ok, warning, type Finding } from './finding.ts';

const HOUR_S = 3600;
const DAY_S = 86_400;

/** Whether sums in a separate bucket outlive the calls; undefined where the server does not say. */
export async function checkRollUpBucket(
  client: InfluxDB,
  version: string,
  config: InfluxConfig,
): Promise<Finding | undefined> {
  const { bucket, rollUpBucket } = config;
  if (rollUpBucket === undefined) return undefined;
  const keptSeconds = version.startsWith('2') ? ofVersion2 : ofVersion1;
  const [calls, sums] = [
    await keptSeconds(client, config, bucket).catch(() => undefined),
    await keptSeconds(client, config, rollUpBucket).catch(() => undefined),
  ];
  if (calls === undefined || sums === undefined) return undefined;
  const says = `${rollUpBucket} keeps sums ${shown(sums)}, ${bucket} calls ${shown(calls)}`;
  return sums === 0 || (calls > 0 && sums > calls)
    ? ok('roll-ups', says)
    : warning(
        'roll-ups',
        `${says}: sums do not stay longer; otel-token-meter setup influxdb --rollup-retention changes that`,
      );
}

/** 0: for ever. */
async function ofVersion2(
  client: InfluxDB,
  { org = '' }: InfluxConfig,
  name: string,
): Promise<number | undefined> {
  const { BucketsAPI } = await import('@influxdata/influxdb-client-apis');
  const where = /^[0-9a-f]{16}$/.test(org) ? { orgID: org } : { org };
  const { buckets = [] } = await new BucketsAPI(client).getBuckets({ ...where, name });
  const [bucket] = buckets;
  return bucket && (bucket.retentionRules[0]?.everySeconds ?? 0);
}

async function ofVersion1(
  client: InfluxDB,
  { username, password = '' }: InfluxConfig,
  name: string,
): Promise<number | undefined> {
  const [db = '', policy] = name.split('/');
  const basic = Buffer.from(`${username ?? ''}:${password}`).toString('base64');
  const query = new URLSearchParams({ db, q: 'SHOW RETENTION POLICIES' });
  const { text } = await askInflux(client, `/query?${query.toString()}`, {
    method: 'GET',
    headers: username === undefined ? {} : { authorization: `Basic ${basic}` },
  });
  const { results = [] } = JSON.parse(text) as {
    readonly results?: readonly {
      readonly series?: readonly {
        readonly columns: readonly string[];
        readonly values?: readonly (readonly unknown[])[];
      }[];
    }[];
  };
  const { columns = [], values = [] } = results[0]?.series?.[0] ?? {};
  const [isNamed, duration, isDefault] = ['name', 'duration', 'default'].map((column) =>
    columns.indexOf(column),
  ) as [number, number, number];
  const row = values.find((one) =>
    policy === undefined ? one[isDefault] === true : one[isNamed] === policy,
  );
  // `336h0m0s`, or `0s` for ever.
  const hours = /^(?:(\d+)h0m)?0s$/.exec(String(row?.[duration]));
  return hours === null ? undefined : Number(hours[1] ?? 0) * HOUR_S;
}

function shown(seconds: number): string {
  if (seconds === 0) return 'for ever';
  return seconds % DAY_S === 0 ? `for ${seconds / DAY_S} days` : `for ${seconds / HOUR_S} hours`;
}
