import type { UsageStore } from 'otel-token-meter/exporter';
import { note, ok, warning, type Finding } from './finding.ts';

/** What waits in the spool, for this destination and for every other one that was configured before. */
export async function checkBacklog(
  store: UsageStore,
  sendsOthers: boolean,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const backlog of (await store.backlogs?.()) ?? []) {
    const { folder, destination, lines, bytes, oldest, isOwned, isCurrent, isRedirectable } =
      backlog;
    const since = oldest === undefined ? '' : ` since ${oldest}`;
    const says = `${lines} lines (${bytes} bytes)${since} wait for ${shown(destination, folder)}`;
    if (isCurrent) {
      findings.push(
        (isOwned ? ok : note)('backlog', `${says}${isOwned ? '' : ': the next start sends them'}`),
      );
    } else if (isOwned) {
      findings.push(note('backlog', `${says}, another destination, whose process is running`));
    } else if (!isRedirectable) {
      const offer = 'the next start of an application that is configured for it sends them';
      findings.push(warning('backlog', `${says}, which nobody writes to any more: ${offer}`));
    } else if (sendsOthers) {
      const files = await backlog.redirect();
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
  const { url, bucket, database = '', org } = destination;
  if (url === undefined) return `an unnamed destination (${folder})`;
  return `${bucket ?? database} at ${url}${org === undefined ? '' : ` (${org})`}`;
}
