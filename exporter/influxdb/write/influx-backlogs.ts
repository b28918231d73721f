import { type StoreBacklog, storeBacklogs } from '../../delivery/store-backlogs.ts';
import { type InfluxOptions, resolveInfluxOptions } from '../influx-options.ts';
import { influxDestination } from './influx-destination.ts';

/**
 * What waits in the spool folder of these options, for their destination and for those that were configured before.
 * Throws `INVALID_OPTION`.
 */
export async function influxBacklogs(options: InfluxOptions): Promise<readonly StoreBacklog[]> {
  const resolved = resolveInfluxOptions('influxBacklogs', options);
  return await storeBacklogs(influxDestination(resolved), resolved.spool);
}
