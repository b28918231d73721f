import type { Destination } from '../../delivery/destination-folder.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';

/** One place, however its host is spelled: lower case, without the port that is the default of the protocol. */
export function influxDestination({ url, org, bucket }: ResolvedInfluxOptions): Destination {
  const identityOf = (address: string): readonly string[] => [address, org ?? '', bucket];
  const address = new URL(url).href.replace(/\/+$/, '');
  return {
    name: bucket,
    identity: identityOf(address),
    ...(address !== url && { formerIdentity: identityOf(url) }),
    description: { url, bucket, ...(org !== undefined && { org }) },
  };
}
