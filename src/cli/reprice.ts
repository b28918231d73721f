import { parseArgs } from 'node:util';
import { TokenMeterError } from '../errors.ts';
import { costInOrder } from '../prices/cost-in-order.ts';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import { loadPrices, shownPriceSource } from './price-options.ts';
import { shownCost, shownCount } from './shown-number.ts';

export const summary: string = 'recompute the cost of recorded calls after prices changed';

const HELP = `Usage: otel-token-meter reprice [--sqlite FILE] [--prices FILE] [options]

Recomputes the cost of every call in a SQLite or InfluxDB ledger. Each call gets the price that the
price list, or your price file, has for the time of the call, with its source and the parts without a
price. Calls whose price is unknown keep their cost, and so do those whose reply reported it.

  --sqlite FILE    SQLite ledger (default: the ledger that the configuration writes)
  --prices FILE    Price file (default: from the configuration)
  --since TIME, --until TIME   Limit the range: an age such as 30d, a date, or an RFC 3339 time.
                   With free tiers, --since must be the start of a month (UTC)
                   (InfluxDB 3 without --since: the last 90 days)
  --dry-run        Print what would change, without writing
  --json           Print JSON
  --config FILE    YAML file (default: OTEL_CONFIG_FILE). INFLUX_URL, INFLUX_TOKEN, INFLUX_BUCKET and
                   the other variables apply as in the application

In InfluxDB only the fields cost_usd, cost_source and cost_missing are overwritten; the token needs
permission to read and write. Exits with 1 when a new cost was refused.
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
  const { store, ...configured } = await ledgerTarget(values, io);
  const prices = await loadPrices(configured, io, values.prices);
  const { parseUsageTime } = await import('otel-token-meter/exporter');
  const time = async (text: string | undefined): Promise<Date | undefined> =>
    text === undefined ? undefined : await parseUsageTime(text);
  const [from, to] = [await time(values.since), await time(values.until)];
  if (prices.file.freeTiers.length > 0 && store.file === undefined) {
    throw new TokenMeterError(
      'INVALID_OPTION',
      'the free tiers of the price file are used up in the order of the calls, which only a SQLite ledger has',
      { value: store.where, allowed: 'a price file without freeTiers' },
    );
  }
  const costOf = costInOrder(prices, from);
  const isWatched = io.stderr.isTTY === true;
  const result = await store.reprice({
    costOf,
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
  const exitCode = result.refused > 0 ? 1 : 0;
  const { source } = prices;
  if (values.json) {
    const { newlyPriced, beforeUsd, afterUsd, lastRefusal, ...counts } = result;
    const document = {
      ...counts,
      newly_priced: newlyPriced,
      before_usd: beforeUsd,
      after_usd: afterUsd,
      ...(lastRefusal !== undefined && { last_refusal: lastRefusal }),
      dry_run: values['dry-run'],
      prices: source,
    };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return exitCode;
  }
  const list = source === undefined ? '' : shownPriceSource(source);
  io.stdout.write(
    [
      `${shownCount(result.calls)} calls, prices: ${list}`,
      `${shownCount(result.changed)} ${values['dry-run'] ? 'would change' : 'changed'}, ` +
        `${shownCount(result.newlyPriced)} of them had no price before`,
      `${shownCount(result.kept)} keep a cost whose price is no longer known, ` +
        `${shownCount(result.reported)} the cost that the provider reported, ` +
        `${shownCount(result.unknown)} have no price, ` +
        `${shownCount(result.unused)} failed or used nothing`,
      ...(result.refused > 0
        ? [`${shownCount(result.refused)} keep their old cost: ${result.lastRefusal ?? ''}`]
        : []),
      `${shownCost(result.beforeUsd)} before, ${shownCost(result.afterUsd)} ${values['dry-run'] ? 'then' : 'now'}`,
      '',
    ].join('\n'),
  );
  return exitCode;
}
