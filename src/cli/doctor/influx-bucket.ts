import type { InfluxDB } from '@influxdata/influxdb-client';
import type { InfluxConfig } from '../../config/index.ts';
import { askInflux } from '../influx-server.ts';
import { messageOf, note, ok, problem, warning, type Finding } from './finding.ts';

const SETUP = 'otel-token-meter setup influxdb makes it';
/** https://docs.influxdata.com/influxdb3/core/admin/databases/ */
const CORE_DATABASES = 5;

/** Whether the bucket of 2.x is there, how long it keeps records, and whether the token sees it. */
export async function checkBucket(
  client: InfluxDB,
  { org, token, bucket }: InfluxConfig,
): Promise<Finding> {
  if (token === undefined || org === undefined) {
    return problem(
      'bucket',
      'InfluxDB 2 needs an organisation and a token: INFLUX_ORG, INFLUX_TOKEN',
    );
  }
  const { BucketsAPI } = await import('@influxdata/influxdb-client-apis');
  const api = new BucketsAPI(client);
  const where = /^[0-9a-f]{16}$/.test(org) ? { orgID: org } : { org };
  try {
    const { buckets = [] } = await api.getBuckets({ ...where, name: bucket });
    const seconds = buckets[0]?.retentionRules[0]?.everySeconds ?? 0;
    if (buckets.length > 0) {
      const kept = seconds === 0 ? 'for ever' : `for ${seconds / 3600} hours`;
      return ok('bucket', `${bucket} of ${org} keeps records ${kept}`);
    }
    return warning(
      'bucket',
      `the token does not see bucket ${bucket} of ${org}: it is not there (${SETUP}), or the token may not read it`,
    );
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404) {
      return problem(
        'bucket',
        `there is no bucket ${bucket} of organisation ${org} that the token may read; ${SETUP}`,
      );
    }
    if (statusCode === 401) return problem('bucket', 'the token is unknown or inactive');
    return note(
      'bucket',
      `the server does not list its buckets: ${messageOf(error).slice(0, 100)}`,
    );
  }
}

/** 3 Core refuses a sixth database, and then keeps no record of it. */
export async function checkDatabases(
  client: InfluxDB,
  { token, bucket }: InfluxConfig,
): Promise<Finding> {
  try {
    const { status, text } = await askInflux(client, '/api/v3/configure/database?format=json', {
      method: 'GET',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    if (status !== 200)
      return note('database', `the server does not list its databases (${status})`);
    const rows = JSON.parse(text) as readonly Readonly<Record<string, string>>[];
    const names = rows
      .map((row) => row['iox::database'] ?? row['name'] ?? '')
      .filter((name) => name !== '' && name !== '_internal');
    if (names.includes(bucket)) return ok('database', `${bucket} is there, one of ${names.length}`);
    return names.length >= CORE_DATABASES
      ? problem(
          'database',
          `${bucket} is not there, and the server has ${names.length} databases: InfluxDB 3 Core takes no more than ${CORE_DATABASES}`,
        )
      : note(
          'database',
          `${bucket} is made with the first record; the server has ${names.length} of the ${CORE_DATABASES} databases that Core takes`,
        );
  } catch (error) {
    return note('database', `the server does not list its databases: ${messageOf(error)}`);
  }
}
