import { influxOptions } from '../../config/index.ts';
import type { InfluxConfig } from '../../config/index.ts';
import { note, ok, warning, type Finding } from './finding.ts';
import type { Exporters } from './test-record.ts';

/** What waits in the spool, for this destination and for every other one that was configured before. */
export async function checkBacklog(
  exporters: Exporters,
  config: InfluxConfig,
  sendsOthers: boolean,
): Promise<readonly Finding[]> {
  const { directory } = config.spool;
  const options = influxOptions(config);
  const own = exporters.influxSpoolFolder(options);
  const findings: Finding[] = [];
  for (const backlog of await exporters.spoolBacklogs(directory)) {
    const { folder, destination, lines, bytes, oldest, isOwned } = backlog;
    const since = oldest === undefined ? '' : ` since ${oldest}`;
    const says = `${lines} lines (${bytes} bytes)${since} wait for ${shown(destination, folder)}`;
    if (folder === own) {
      findings.push(
        (isOwned ? ok : note)('backlog', `${says}${isOwned ? '' : ': the next start sends them'}`),
      );
    } else if (isOwned) {
      findings.push(note('backlog', `${says}, another destination, whose process is running`));
    } else if (sendsOthers) {
      const files = await exporters.redirectBacklog(folder, options);
      const next =
        'the application sends them to the configured destination now, or with its next start';
      findings.push(ok('backlog', `${says}: ${files} files moved; ${next}`));
    } else {
      const offer = 'run doctor --send-backlog to send them to the configured destination instead';
      findings.push(warning('backlog', `${says}, which nobody writes to any more: ${offer}`));
    }
  }
  return findings;
}

function shown(destination: Readonly<Record<string, string>>, folder: string): string {
  const { url, bucket, org } = destination;
  if (url === undefined) return `an unnamed destination (${folder})`;
  return `${bucket ?? ''} at ${url}${org === undefined ? '' : ` (${org})`}`;
}
