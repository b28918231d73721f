import { parseArgs } from 'node:util';
import { resolveConfig } from '../config/resolve.ts';
import { TokenMeterError } from '../errors.ts';
import { Prices } from '../usage/cost.ts';
import type { CliIo } from './io.ts';
import { shownCost, shownCount } from './shown-number.ts';

export const summary: string = 'work out the cost of recorded calls anew, after prices changed';

const HELP = `Usage: otel-token-meter reprice [--sqlite FILE] [--prices FILE] [options]

Gives every call of a SQLite ledger the price that the list, or your own price file, has for the time of
the call. Calls whose price is not known keep the cost they have.

  --sqlite FILE    The ledger (default: the configured one)
  --prices FILE    Your own price file (default: the configured one)
  --since TIME, --until TIME   Only these calls: an age such as 30d, a date, an RFC 3339 time
  --dry-run        Tells what would change
  --json           Prints JSON
  --config FILE    The configuration (default: OTEL_CONFIG_FILE)
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sqlite: { type: 'string' },
      prices: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      config: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  if (values.sqlite === undefined && config.metrics.provider === 'influxdb') {
    throw new TokenMeterError('INVALID_OPTION', 'only a SQLite ledger can be repriced', {
      value: config.metrics.provider,
      allowed: '--sqlite FILE',
    });
  }
  const overridesFile = values.prices ?? config.pricesFile;
  const prices = new Prices(overridesFile === undefined ? {} : { overridesFile });
  await prices.load();
  const { parseUsageTime, repriceLedger } = await import('otel-token-meter/exporter');
  const time = (text: string | undefined): Date | undefined =>
    text === undefined ? undefined : parseUsageTime(text);
  const [from, to] = [time(values.since), time(values.until)];
  const isWatched = io.stderr.isTTY === true;
  const result = await repriceLedger({
    path: values.sqlite ?? config.metrics.sqlite.path,
    costOf: (record) => prices.costOf(record),
    dryRun: values['dry-run'],
    ...(from && { from }),
    ...(to && { to }),
    onProgress: ({ calls, changed }) => {
      if (isWatched) {
        io.stderr.write(`\r${shownCount(calls)} calls, ${shownCount(changed)} changed\u001B[K`);
      }
    },
  });
  if (isWatched) io.stderr.write('\r\u001B[K');
  const { source } = prices;
  if (values.json) {
    const { newlyPriced, beforeUsd, afterUsd, ...counts } = result;
    const document = {
      ...counts,
      newly_priced: newlyPriced,
      before_usd: beforeUsd,
      after_usd: afterUsd,
      dry_run: values['dry-run'],
      prices: source,
    };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  }
  const list = `${source?.name ?? ''}${source?.date === undefined ? '' : ` of ${source.date}`}`;
  const own = source?.overrides === undefined ? '' : `, own prices ${source.overrides} before them`;
  io.stdout.write(
    [
      `${shownCount(result.calls)} calls by ${list}${own}`,
      `${shownCount(result.changed)} ${values['dry-run'] ? 'would change' : 'changed'}, ` +
        `${shownCount(result.newlyPriced)} of them had no price before`,
      `${shownCount(result.kept)} keep a cost whose price is no longer known, ` +
        `${shownCount(result.unknown)} have no price`,
      `${shownCost(result.beforeUsd)} before, ${shownCost(result.afterUsd)} ${values['dry-run'] ? 'then' : 'now'}`,
      '',
    ].join('\n'),
  );
  return 0;
}
