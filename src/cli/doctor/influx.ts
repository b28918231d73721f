import type { InfluxDB } from '@influxdata/influxdb-client';
import type { StoreConfigs, UsageStore } from 'otel-token-meter/exporter';
import type { InfluxConfig, MetricsConfig } from '../../config/index.ts';
import { checkBacklog } from './backlog.ts';
import type { DestinationContext } from './destination-context.ts';
import { checkDisk } from './disk.ts';
import { messageOf, note, ok, problem, warning, type Finding } from './finding.ts';
import { checkBucket, checkDatabases } from './influx-bucket.ts';
import { checkRollUpBucket } from './influx-roll-ups.ts';
import { influxServer, shownUrl } from '../influx-server.ts';
import { shownCount } from '../shown-number.ts';
import { writeAndReadBack, type Exporters } from './test-record.ts';

const CLOCK_SLACK_MS = 5000;
const DAY_MS = 86_400_000;
const COUNT_TIMEOUT_MS = 10_000;

export async function checkInflux({
  config,
  write,
  sendBacklog,
}: DestinationContext): Promise<readonly Finding[]> {
  const { bucket, rollUpBucket, spool, maxUserTags } = config.influxdb;
  const exporters: Exporters = await import('otel-token-meter/exporter');
  let client: InfluxDB;
  let store: UsageStore;
  try {
    client = await exporters.influxClient(config.influxdb);
    store = exporters.usageStore('influxdb', config);
  } catch (error) {
    return [problem('influxdb', messageOf(error))];
  }
  const findings: Finding[] = [];
  const { findings: reached, version } = await checkServer(client, config.influxdb);
  findings.push(...reached);
  if (reached.some(({ state }) => state === 'problem')) return findings;
  const buckets = [bucket, ...(rollUpBucket === undefined ? [] : [rollUpBucket])];
  for (const one of buckets.map((name) => ({ ...config.influxdb, bucket: name }))) {
    if (version.startsWith('2')) findings.push(await checkBucket(client, one));
    if (version.startsWith('3')) findings.push(await checkDatabases(client, one));
  }
  const rollUps = await checkRollUpBucket(client, version, config.influxdb);
  if (rollUps !== undefined) findings.push(rollUps);
  const reader = store.reader();
  try {
    if (write) {
      const processor = exporters.usageStore('influxdb', withoutSpool(config)).processor();
      findings.push(await writeAndReadBack(processor, reader));
    }
    const to = new Date();
    const { total } = await reader.summary({
      from: new Date(to.getTime() - DAY_MS),
      to,
      filter: {},
      distinct: true,
    });
    const users = total.users ?? 0;
    const says = `${total.calls} calls of ${users} users in ${bucket} in the last 24 hours`;
    findings.push(
      users > maxUserTags * 0.8
        ? warning('cardinality', `${says}; users beyond ${maxUserTags} get the tag value (other)`)
        : ok('cardinality', says),
      ...(await checkSize(exporters, store, config)),
    );
  } catch (error) {
    findings.push(problem('read', messageOf(error)));
  } finally {
    await reader.close();
  }
  findings.push(
    spool.enabled
      ? await checkDisk('the spool', spool.directory)
      : note('disk', 'no spool: records are buffered in memory during an outage'),
    ...(await checkBacklog(store, sendBacklog)),
  );
  return findings;
}

/** Nothing where the server does not count in time: a large bucket is no fault. */
async function checkSize(
  { influxLedgerSize }: Exporters,
  { where }: UsageStore,
  { influxdb }: MetricsConfig,
): Promise<readonly Finding[]> {
  const size = await influxLedgerSize(influxdb, AbortSignal.timeout(COUNT_TIMEOUT_MS)).catch(
    () => undefined,
  );
  if (size === undefined) return [];
  const { calls, rolledUpHours, rolledUpDays } = size;
  const { rollUpBucket } = influxdb;
  const place = rollUpBucket === undefined ? '' : ` in ${rollUpBucket}`;
  const sums = `${shownCount(rolledUpHours)} hours and ${shownCount(rolledUpDays)} days are summed up${place}`;
  return [ok('ledger', `${where}: ${shownCount(calls)} calls, ${sums}`)];
}

/** A refused record is not to be kept. */
function withoutSpool(config: MetricsConfig): StoreConfigs {
  const { influxdb } = config;
  return { ...config, influxdb: { ...influxdb, spool: { ...influxdb.spool, enabled: false } } };
}

/** Checks reachability, and the clock by the server's Date header. */
async function checkServer(
  client: InfluxDB,
  { url, token }: InfluxConfig,
): Promise<{ readonly findings: readonly Finding[]; readonly version: string }> {
  const asked = Date.now();
  const shown = shownUrl(url);
  try {
    const { version, date } = await influxServer(client, shown, token);
    const findings = [ok('influxdb', `${shown} answers, ${version}`)];
    const away = Math.abs(Date.parse(date ?? '') - (asked + Date.now()) / 2);
    if (away > CLOCK_SLACK_MS) {
      const says = `clocks of this machine and the server differ by ${Math.round(away / 1000)} s: timestamps of records are off`;
      findings.push(warning('clock', says));
    } else if (!Number.isNaN(away)) findings.push(ok('clock', 'in sync with the server'));
    return { findings, version };
  } catch (error) {
    return { findings: [problem('influxdb', messageOf(error))], version: '' };
  }
}
