import { moveBacklog, type SpoolBacklog, spoolBacklogs } from '../spool/backlog.ts';
import { type Destination, destinationFolder } from './destination-folder.ts';
import type { ResolvedSpoolOptions } from './spool-options.ts';

export interface StoreBacklog extends SpoolBacklog {
  /** Whether it waits for the destination of the exporter. */
  readonly isCurrent: boolean;
  /**
   * Gives what no living process sends to the destination of the exporter: its running exporter takes it within half
   * a minute, or the next one at its start. Resolves with the number of files.
   */
  redirect(): Promise<number>;
}

/** What waits in a spool folder, for this destination and for those that were configured before. */
export async function storeBacklogs(
  destination: Destination,
  spool: ResolvedSpoolOptions | false,
): Promise<readonly StoreBacklog[]> {
  if (spool === false) return [];
  const current = destinationFolder(destination, spool);
  return (await spoolBacklogs(spool.directory)).map((backlog) => {
    const isCurrent = backlog.folder === current;
    const redirect = async (): Promise<number> =>
      isCurrent ? 0 : await moveBacklog(backlog.folder, current);
    return { ...backlog, isCurrent, redirect };
  });
}
