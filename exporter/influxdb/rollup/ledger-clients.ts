import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { InfluxQueryClient, type QueryClientOptions } from '../read/query-client.ts';
import { RollUpPlace } from './roll-up-place.ts';

/** Clients of the calls of a ledger and of its roll-ups. */
export class LedgerClients {
  readonly place: RollUpPlace;
  readonly calls: InfluxQueryClient;
  readonly rollUps: InfluxQueryClient;

  constructor(target: ResolvedInfluxOptions, options?: QueryClientOptions) {
    this.place = new RollUpPlace(target);
    this.calls = new InfluxQueryClient(target, options);
    this.rollUps = this.place.isSeparate
      ? new InfluxQueryClient(this.place.target, {
          ...options,
          remedy: '`otel-token-meter setup influxdb` makes the bucket of roll-ups',
        })
      : this.calls;
  }

  close(): void {
    this.calls.close();
    this.rollUps.close();
  }
}
