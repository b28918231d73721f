import { moveBacklog, type SpoolBacklog, spoolBacklogs } from '../../spool/backlog.ts';
import { type InfluxOptions, resolveInfluxOptions } from '../influx-options.ts';
import { destinationFolder } from './destination-folder.ts';

export interface StoreBacklog extends SpoolBacklog {
  /** Whether it waits for the destination of the options. */
  readonly isCurrent: boolean;
  /**
   * Gives what no living process sends to the destination of the options: its running exporter takes it within half
   * a minute, or the next one at its start. Resolves with the number of files.
   */
  redirect(): Promise<number>;
}

/**
 * What waits in the spool folder of these options, for their destination and for those that were configured before.
 * Throws `INVALID_OPTION`.
 */
export async function influxBacklogs(options: InfluxOptions): Promise<readonly StoreBacklog[]> {
  const resolved = resolveInfluxOptions('influxBacklogs', options);
  const { spool } = resolved;
  if (spool === false) return [];
  const current = destinationFolder(resolved, spool);
  return (await spoolBacklogs(spool.directory)).map((backlog) => {
    const isCurrent = backlog.folder === current;
    const redirect = async (): Promise<number> =>
      isCurrent ? 0 : await moveBacklog(backlog.folder, current);
    return { ...backlog, isCurrent, redirect };
  });
}
