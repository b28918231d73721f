import { moveBacklog } from '../../spool/backlog.ts';
import { type InfluxOptions, resolveInfluxOptions } from '../influx-options.ts';
import { destinationFolder } from './destination-folder.ts';

/**
 * Gives what waits for another destination, and is sent by no living process, to the one of `options`: its running
 * exporter takes it within half a minute, or the next one at its start. `folder` as `spoolBacklogs` gives it.
 * Resolves with the number of files; 0 for a destination without a spool. Throws `INVALID_OPTION`.
 */
export async function redirectBacklog(folder: string, options: InfluxOptions): Promise<number> {
  const resolved = resolveInfluxOptions('redirectBacklog', options);
  if (resolved.spool === false) return 0;
  const target = destinationFolder(resolved, resolved.spool);
  return target === folder ? 0 : await moveBacklog(folder, target);
}
