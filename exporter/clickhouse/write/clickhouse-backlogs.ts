import { type StoreBacklog, storeBacklogs } from '../../delivery/store-backlogs.ts';
import { type ClickHouseOptions, resolveClickHouseOptions } from '../clickhouse-options.ts';
import { clickHouseDestination } from './clickhouse-destination.ts';

/**
 * What waits in the spool folder of these options, for their destination and for those that were configured before.
 * Throws `INVALID_OPTION`.
 */
export async function clickHouseBacklogs(
  options: ClickHouseOptions,
): Promise<readonly StoreBacklog[]> {
  const resolved = resolveClickHouseOptions('clickHouseBacklogs', options);
  return await storeBacklogs(clickHouseDestination(resolved), resolved.spool);
}
