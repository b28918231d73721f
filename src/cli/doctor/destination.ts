import type { DestinationContext } from './destination-context.ts';
import { note, ok, type Finding } from './finding.ts';
import { checkInflux } from './influx.ts';
import { checkOtlp } from './otlp.ts';
import { checkSqlite } from './sqlite.ts';

/** Where records go, and whether they arrive there. */
export async function checkDestination(context: DestinationContext): Promise<readonly Finding[]> {
  const { config } = context;
  const off = [
    ...(config.enabled ? [] : [note('switch', 'metrics.enabled is false: nothing is measured')]),
    ...(config.tokenStatistics
      ? []
      : [note('switch', 'metrics.token_statistics is false: no token is counted')]),
  ];
  switch (config.provider) {
    case 'influxdb':
      return [...off, ...(await checkInflux(context))];
    case 'sqlite':
      return [...off, ...(await checkSqlite(context))];
    case 'otlp':
      return [...off, ...(await checkOtlp(context.env))];
    case 'console':
      return [
        ...off,
        ok('records', 'one line a call on stderr, unless the application starts an SDK of its own'),
      ];
    case 'none':
      return [...off, note('records', 'only to the SDK that the application starts itself')];
  }
}
