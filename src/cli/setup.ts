import type { CliIo } from './io.ts';

export const summary: string = 'make what a store needs before the first record';

const HELP = `Usage: otel-token-meter setup influxdb|clickhouse [options]

Makes what the store of the configuration needs: a bucket (database) of InfluxDB, or the tables of ClickHouse.
otel-token-meter setup influxdb --help and otel-token-meter setup clickhouse --help show the options.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const store = args.find((arg) => arg === 'influxdb' || arg === 'clickhouse');
  const others = args.filter((arg) => arg !== store);
  if (store === 'influxdb') {
    const { runInfluxSetup } = await import('./setup/influx-command.ts');
    return await runInfluxSetup(others, io);
  }
  if (store === 'clickhouse') {
    const { runClickHouseSetup } = await import('./setup/clickhouse-command.ts');
    return await runClickHouseSetup(others, io);
  }
  const isAsked = args.includes('--help') || args.includes('-h');
  (isAsked ? io.stdout : io.stderr).write(HELP);
  return isAsked ? 0 : 2;
}
