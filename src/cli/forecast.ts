import { parseArgs } from 'node:util';
import type { ForecastMetric, MetricForecast, UsageForecast } from 'otel-token-meter/exporter';
import type { CliIo } from './io.ts';
import { CURRENCY_HELP, displayCurrency, loadPrices, shownRate } from './price-options.ts';
import { type ShownCurrency, shownCost, shownCount } from './shown-number.ts';
import { textTable } from './text-table.ts';
import { FILTER_HELP, QUERY_OPTIONS, usageFilter } from './usage-options.ts';
import { openUsageSource, SOURCE_HELP, SOURCE_OPTIONS } from './usage-source.ts';

export const summary: string = 'project cost, tokens and calls to the end of the month';

const HELP = `Usage: otel-token-meter forecast [options]

Projects the current calendar month from the daily sums of the last half year: each day is expected
to be like the same weekday of past weeks. The range holds the end of the month with a chance of 80 %.
Requires 14 complete days of history.

  --tz ZONE        Time zone of the month and its days (default: local time zone)
${FILTER_HELP}${CURRENCY_HELP}  --json           Print JSON instead of a table
${SOURCE_HELP}`;

const NAMES: Readonly<Record<ForecastMetric, string>> = {
  costUsd: 'cost',
  totalTokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  calls: 'calls',
};

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const {
    by: _by,
    since: _since,
    until: _until,
    metric: _,
    limit: _limit,
    ...filters
  } = QUERY_OPTIONS;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...filters,
      ...SOURCE_OPTIONS,
      currency: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals.length > 0) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const { forecastUsage, usageJson } = await import('otel-token-meter/exporter');
  const timeZone = values.tz ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { reader, name, ...configured } = await openUsageSource(values, io);
  try {
    const forecast = await forecastUsage(reader, { timeZone, filter: usageFilter(values) });
    const prices = await loadPrices(configured, io);
    const currency = displayCurrency(prices, values.currency, configured);
    if (values.json) {
      const document = { ...forecast, source: name, ...(currency && { currency }) };
      io.stdout.write(`${JSON.stringify(usageJson(document), undefined, 2)}\n`);
    } else {
      io.stdout.write(forecastTable(forecast, currency));
      const rate = currency === undefined ? '' : `${shownRate(currency)}\n`;
      io.stderr.write(`${basisOf(forecast)}\n${rate}${name}\n`);
    }
  } finally {
    await reader.close();
  }
  return 0;
}

function forecastTable({ metrics }: UsageForecast, currency: ShownCurrency | undefined): string {
  const numbers = ['so far', 'end of month', 'from', 'to'];
  const cells = (metric: ForecastMetric, forecast: MetricForecast): string[] => {
    const { used, projected, low, high, atLeast } = forecast;
    const shown = (value: number | undefined): string =>
      (atLeast && value !== undefined ? '≥ ' : '') +
      (metric === 'costUsd' ? shownCost(value, currency) : shownCount(value));
    return [NAMES[metric], ...[used, projected, low, high].map(shown)];
  };
  const known = Object.entries(metrics) as [ForecastMetric, MetricForecast][];
  return textTable(
    ['', ...numbers],
    known.map(([metric, forecast]) => cells(metric, forecast)),
    numbers,
  );
}

/** What the numbers are based on, or why there are none. */
function basisOf(forecast: UsageForecast): string {
  const { metrics, historyFrom, requiredDays, time, timeZone, confidence } = forecast;
  const month = new Date(time).toLocaleDateString('en-US', {
    month: 'long',
    year: 'numeric',
    timeZone,
  });
  const days = Math.max(0, ...Object.values(metrics).map((metric) => metric.days));
  const history = `${shownCount(days)} complete days${historyFrom === undefined ? '' : ` since ${historyFrom}`}`;
  const isProjected = Object.values(metrics).some(({ projected }) => projected !== undefined);
  return isProjected
    ? `${month} (${timeZone}), from ${history}. The range holds the end of the month with a chance of ${confidence * 100} %.`
    : `${month} (${timeZone}): no projection, the ledger has ${history} of the ${requiredDays} required.`;
}
