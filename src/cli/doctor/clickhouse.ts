import type { UsageStore } from 'otel-token-meter/exporter';
import { checkBacklog } from './backlog.ts';
import type { DestinationContext } from './destination-context.ts';
import { checkDisk } from './disk.ts';
import { messageOf, note, ok, problem, type Finding } from './finding.ts';
import { shownBytes } from './shown-bytes.ts';
import { writeAndReadBack, type Exporters } from './test-record.ts';

const DAY_MS = 86_400_000;

export async function checkClickHouse({
  config,
  write,
  sendBacklog,
}: DestinationContext): Promise<readonly Finding[]> {
  const { clickhouse } = config;
  const { spool } = clickhouse;
  const exporters: Exporters = await import('otel-token-meter/exporter');
  let store: UsageStore;
  try {
    store = exporters.usageStore('clickhouse', config);
  } catch (error) {
    return [problem('clickhouse', messageOf(error))];
  }
  const findings: Finding[] = [];
  const reader = store.reader();
  try {
    const { version, ...ledger } = await exporters.clickHouseLedger(clickhouse);
    findings.push(ok('clickhouse', `${store.where} answers, ${version}`));
    const size = `${ledger.calls} calls, ${shownBytes(ledger.bytes)} on disk and ${shownBytes(ledger.rollUpBytes)} of sums`;
    const kept = ledger.retentionDays === undefined ? 'for ever' : `${ledger.retentionDays} days`;
    findings.push(ok('ledger', `${size}, kept ${kept}`));
    if (write) {
      // A refused record is not to be kept.
      const trial = { ...clickhouse, spool: { ...spool, enabled: false } };
      const processor = exporters
        .usageStore('clickhouse', { ...config, clickhouse: trial })
        .processor();
      findings.push(await writeAndReadBack(processor, reader));
    }
    const to = new Date();
    const { total } = await reader.summary({
      from: new Date(to.getTime() - DAY_MS),
      to,
      distinct: true,
    });
    findings.push(
      ok('read', `${total.calls} calls of ${total.users ?? 0} users in the last 24 hours`),
    );
  } catch (error) {
    findings.push(problem('clickhouse', messageOf(error)));
  } finally {
    await reader.close();
  }
  return [
    ...findings,
    spool.enabled
      ? await checkDisk('the spool', spool.directory)
      : note('disk', 'no spool: records are buffered in memory during an outage'),
    ...(await checkBacklog(store, sendBacklog)),
  ];
}
