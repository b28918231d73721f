import { influxExecute } from './influx.ts';
import { requireServer, startInfluxd, type TestServer } from './servers.ts';

export interface SeparateSums {
  readonly url: string;
  readonly bucket: string;
  readonly rollUpBucket: string;
  readonly spool: false;
}

/** Registers hooks for a suite that has two empty databases of InfluxDB 1.x for each test: for calls, and for sums. */
export function separateSums(): () => SeparateSums {
  let server: TestServer;
  let count = 0;
  const access = (): SeparateSums => ({
    url: server.url,
    bucket: `calls_${count}`,
    rollUpBucket: `calls_${count}_sums`,
    spool: false,
  });

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd();
  });
  after(async () => await server?.stop());
  beforeEach(async () => {
    count++;
    const { url, bucket, rollUpBucket } = access();
    for (const name of [bucket, rollUpBucket]) await influxExecute(url, `CREATE DATABASE ${name}`);
  });
  return access;
}
