import type { DestinationContext } from './destination-context.ts';
import { checkClickHouse } from './clickhouse.ts';
import { note, ok, type Finding } from './finding.ts';
import { checkInflux } from './influx.ts';
import { checkOtlp } from './otlp.ts';
import { checkSqlite } from './sqlite.ts';

/** Checks the destination of records and whether it accepts them. */
export async function checkDestination(context: DestinationContext): Promise<readonly Finding[]> {
  const { config } = context;
  const off = [
    ...(config.enabled ? [] : [note('switch', 'metrics.enabled is false: calls are not metered')]),
    ...(config.tokenStatistics
      ? []
      : [note('switch', 'metrics.token_statistics is false: tokens are not counted')]),
  ];
  switch (config.provider) {
    case 'influxdb':
      return [...off, ...(await checkInflux(context))];
    case 'sqlite':
      return [...off, ...(await checkSqlite(context))];
    case 'clickhouse':
      return [...off, ...(await checkClickHouse(context))];
    case 'otlp':
      return [...off, ...(await checkOtlp(context.env))];
    case 'console':
      return [
        ...off,
        ok('records', 'one line per call on stderr, unless the application starts an SDK'),
      ];
    case 'none':
      return [...off, note('records', 'only to the OpenTelemetry SDK that the application starts')];
  }
}
