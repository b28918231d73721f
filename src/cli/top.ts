import { parseArgs } from 'node:util';
import type { UsageGroup, UsageQuery, UsageReader } from 'otel-token-meter/exporter';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';
import {
  CURRENCY_HELP,
  displayCurrency,
  loadPrices,
  shownPriceSource,
  shownRate,
} from './price-options.ts';
import { CLEAR_SCREEN, HIDE_CURSOR, keysOf, SHOW_CURSOR } from './terminal.ts';
import { topScreen } from './top-screen.ts';
import type { TopScreenOptions, TopView } from './top-screen.ts';
import { FILTER_HELP, groupNames, QUERY_OPTIONS, usageQuery } from './usage-options.ts';
import { openUsageSource, SOURCE_HELP, SOURCE_OPTIONS } from './usage-source.ts';

export const summary: string = 'watch token usage live';

const HELP = `Usage: otel-token-meter top [options]

Shows the largest users of the last hour as a live bar chart. Keys: u users, m models,
c conversations, p providers, s services, o outcomes, t teams, q quit.

  --by GROUP         Initial group (default: user)
  --since TIME       Start of the window (default: 1h); an age makes it a sliding window
  --metric NAME      Sort by total_tokens (default), cost_usd, calls, …
  --limit N          Number of rows (default: as many as fit)
  --interval SECONDS Refresh interval (default: 2)
${CURRENCY_HELP}  --once             Print once and exit; the default when stdout is not a terminal
  --json             Print once as JSON
${FILTER_HELP}${SOURCE_HELP}
NO_COLOR disables colours.
`;

const GROUP_KEYS: Readonly<Record<string, UsageGroup>> = {
  u: 'user',
  m: 'model',
  c: 'conversation',
  p: 'provider',
  s: 'service',
  o: 'outcome',
  t: 'team',
};
const DAY_MS = 86_400_000;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...QUERY_OPTIONS,
      ...SOURCE_OPTIONS,
      interval: { type: 'string', default: '2' },
      currency: { type: 'string' },
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const intervalMs = Number(values.interval) * 1000;
  if (!(intervalMs >= 100 && intervalMs <= DAY_MS)) {
    throw new TokenMeterError('INVALID_OPTION', '--interval is not valid', {
      value: values.interval,
      allowed: 'seconds from 0.1 to 86400',
    });
  }
  const { parseUsageTime, usageJson } = await import('otel-token-meter/exporter');
  const queryNow = async (group: string, limit: number): Promise<UsageQuery> => ({
    ...(await usageQuery(
      { limit: String(limit), ...values, by: group },
      parseUsageTime,
      new Date(),
      {
        since: '1h',
        timeZone: 'UTC',
      },
    )),
    percentiles: true,
  });
  const { reader, name, ...configured } = await openUsageSource(values, io);
  const by = groupNames(values.by ?? 'user', values, io);
  try {
    const prices = await loadPrices(configured, io);
    const currency = displayCurrency(prices, values.currency, configured);
    const shownPrices = [
      ...(prices.source ? [`Prices: ${shownPriceSource(prices.source)}`] : []),
      ...(currency ? [shownRate(currency)] : []),
    ].join('. ');
    const screen = { source: name, prices: shownPrices, currency };
    if (values.json) {
      const answer = await reader.summary(await queryNow(by, 20));
      const document = {
        ...answer,
        source: name,
        prices: prices.source,
        ...(currency && { currency }),
      };
      io.stdout.write(`${JSON.stringify(usageJson(document), undefined, 2)}\n`);
    } else if (values.once || io.stdout.isTTY !== true) {
      const view = await queryView(reader, await queryNow(by, 20));
      io.stdout.write(topScreen(view, { ...screen, width: widthOf(io), color: false }));
    } else {
      const since = values.since ?? '1h';
      await live(reader, io, { queryNow, by, since, intervalMs, screen });
    }
  } finally {
    await reader.close();
  }
  return 0;
}

/** Queries the window and the tokens of each of the last 24 hours. */
async function queryView(reader: UsageReader, query: UsageQuery): Promise<TopView> {
  const from = new Date(query.to.getTime() - DAY_MS);
  const { filter = {}, to, orderBy = 'totalTokens' } = query;
  const [answer, hours] = await Promise.all([
    reader.summary(query),
    reader.summary({ from, to, filter, groupBy: ['hour'] }),
  ]);
  return { answer, hours: hours.rows, orderBy, time: to };
}

interface LiveOptions {
  readonly queryNow: (group: string, limit: number) => Promise<UsageQuery>;
  readonly by: string;
  readonly since: string;
  readonly intervalMs: number;
  readonly screen: Pick<TopScreenOptions, 'source' | 'prices' | 'currency'>;
}

/** Refreshes until q or Ctrl-C. A read error is shown and the query retried. */
async function live(reader: UsageReader, io: CliIo, options: LiveOptions): Promise<void> {
  const { screen, since } = options;
  const color = (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb';
  let by = options.by;
  let view: TopView | undefined;
  const keys = keysOf(io);
  if (keys.isRaw) io.stdout.write(HIDE_CURSOR);
  try {
    for (;;) {
      const room = Math.max(1, (io.stdout.rows ?? 24) - 10);
      let problem: string | undefined;
      try {
        view = await queryView(reader, await options.queryNow(by, Math.min(room, 1000)));
      } catch (error) {
        // Retrying does not fix an invalid option.
        if (error instanceof TokenMeterError && error.code === 'INVALID_OPTION') throw error;
        problem = error instanceof Error ? error.message : String(error);
      }
      const shown = { ...screen, since, width: widthOf(io), color, problem, keys: true };
      io.stdout.write(CLEAR_SCREEN + topScreen(view, shown));
      const key = await keys.next(options.intervalMs);
      if (key === 'q' || key === '\u0003') return;
      by = GROUP_KEYS[key ?? ''] ?? by;
    }
  } finally {
    keys.close();
    if (keys.isRaw) io.stdout.write(SHOW_CURSOR);
  }
}

function widthOf(io: CliIo): number {
  return io.stdout.columns ?? 80;
}
