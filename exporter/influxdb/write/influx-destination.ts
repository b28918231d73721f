import type { Destination } from '../../delivery/destination-folder.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';

export function influxDestination({ url, org, bucket }: ResolvedInfluxOptions): Destination {
  return {
    name: bucket,
    identity: [url, org ?? '', bucket],
    description: { url, bucket, ...(org !== undefined && { org }) },
  };
}
