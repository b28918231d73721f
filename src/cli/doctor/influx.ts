import { influxOptions } from '../../config/index.ts';
import type { DestinationContext } from './destination-context.ts';
import { checkDisk } from './disk.ts';
import { messageOf, note, ok, problem, warning, type Finding } from './finding.ts';
import { writeAndReadBack, type Exporters } from './test-record.ts';

const CLOCK_SLACK_MS = 5000;
const DAY_MS = 86_400_000;

export async function checkInflux({
  config,
  write,
}: DestinationContext): Promise<readonly Finding[]> {
  const { url, bucket, spool, maxUserTags } = config.influxdb;
  const findings: Finding[] = [];
  const reached = await checkServer(url);
  findings.push(...reached);
  if (reached.some(({ state }) => state === 'problem')) return findings;
  const exporters: Exporters = await import('otel-token-meter/exporter');
  const options = influxOptions(config.influxdb);
  const reader = new exporters.InfluxUsageReader(options);
  try {
    if (write) {
      // Without the spool, so that a refused record is not kept.
      const processor = new exporters.InfluxUsageProcessor({ ...options, spool: false });
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
  );
  return findings;
}

/** Checks reachability, and the clock by the server's Date header. */
async function checkServer(url: string): Promise<readonly Finding[]> {
  const shown = new URL(url);
  shown.username = shown.password = '';
  try {
    const asked = Date.now();
    const answer = await fetch(new URL('ping', `${shown.href.replace(/\/$/, '')}/`), {
      signal: AbortSignal.timeout(5000),
    });
    const middle = (asked + Date.now()) / 2;
    const version = answer.headers.get('x-influxdb-version') ?? 'unknown version';
    const findings = [ok('influxdb', `${shown.href} answers, ${version}`)];
    const date = Date.parse(answer.headers.get('date') ?? '');
    const away = Math.abs(date - middle);
    if (away > CLOCK_SLACK_MS) {
      const says = `clocks of this machine and the server differ by ${Math.round(away / 1000)} s: timestamps of records are off`;
      findings.push(warning('clock', says));
    } else if (!Number.isNaN(away)) findings.push(ok('clock', 'in sync with the server'));
    return findings;
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    return [problem('influxdb', `${shown.href} is not reachable: ${messageOf(cause ?? error)}`)];
  }
}
