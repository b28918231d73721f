import { resolveInfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { RollUpPlace } from '../../exporter/influxdb/rollup/roll-up-place.ts';

/** Where the roll-ups of a bucket are. */
export function rollUpPlace(
  bucket: string,
  { url = 'http://localhost', rollUpBucket }: { url?: string; rollUpBucket?: string } = {},
): RollUpPlace {
  return new RollUpPlace(
    resolveInfluxOptions('test', {
      url,
      bucket,
      spool: false,
      ...(rollUpBucket !== undefined && { rollUpBucket }),
    }),
  );
}
