import { moveBacklog, type SpoolBacklog, spoolBacklogs } from '../spool/backlog.ts';
import { type Destination, destinationFolder } from './destination-folder.ts';
import type { ResolvedSpoolOptions } from './spool-options.ts';

export interface StoreBacklog extends SpoolBacklog {
  /** Whether it waits for the destination of the exporter. */
  readonly isCurrent: boolean;
  /** Whether it is written as the destination of the exporter reads it: lines of one store mean nothing to another. */
  readonly isRedirectable: boolean;
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
    const isRedirectable = storeOf(backlog.destination) === storeOf(destination.description);
    const redirect = async (): Promise<number> =>
      isCurrent || !isRedirectable ? 0 : await moveBacklog(backlog.folder, current);
    return { ...backlog, isCurrent, isRedirectable, redirect };
  });
}

/** Folders of InfluxDB do not name their store. */
const storeOf = ({ store = 'influxdb' }: Destination['description']): string => store;
