import type { Destination } from '../../delivery/destination-folder.ts';
import type { ResolvedAccess } from '../clickhouse-options.ts';

export function clickHouseDestination({ url, database }: ResolvedAccess): Destination {
  return {
    name: `clickhouse-${database}`,
    identity: ['clickhouse', url, database],
    description: { store: 'clickhouse', url, database },
  };
}
