import { parseArgs } from 'node:util';
import type { UsageGroup, UsageQuery, UsageReader } from 'otel-token-meter/exporter';
import { analyseCosts } from '../prices/cost-analysis.ts';
import { allRecords } from './all-records.ts';
import { costCsv, costSections, whatIfRule } from './cost-report.ts';
import type { CliIo } from './io.ts';
import {
  type ConfiguredPrices,
  CURRENCY_HELP,
  displayCurrency,
  loadPrices,
} from './price-options.ts';
import { reportCsv, reportNotes, reportTable } from './report-formats.ts';
import type { UnpricedModel } from './report-formats.ts';
import { runNotes, runTable } from './run-report.ts';
import { shownName } from './shown-number.ts';
import { unitsCsv, unitsSection, unitSums } from './units-report.ts';
import { FILTER_HELP, groupNames, QUERY_OPTIONS, usageQuery } from './usage-options.ts';
import { openUsageSource, SOURCE_HELP, SOURCE_OPTIONS } from './usage-source.ts';

export const summary: string = 'summarise recorded calls by user, model, conversation or time';

const HELP = `Usage: otel-token-meter report [hourly | daily | GROUP[,GROUP]] [options]

GROUP is user, model, conversation, provider, outcome, service, team, error, agent, run, tool,
dimension.NAME, hour or day; at most one of them may be hour or day. A configured dimension may be given by its name alone. Without a group only the total is printed.

  --since TIME     Start (default: 24h, 30d for days): an age such as 24h or 7d, a date, or an
                   RFC 3339 time
  --until TIME     End (default: now)
  --tz ZONE        Time zone of dates, hours and days (default: local time zone)
  --metric NAME    Sort by total_tokens (default), cost_usd, calls, errors, input_tokens, …
  --limit N        Number of rows; the remainder is summed up in (other) (default: 20)
${FILTER_HELP}  --compare        Add the change since the previous period (by hour or day: of the total)
  --percentiles    Add p50 and p95 of the duration
  --savings        Add what caching saved by model and user, and what failed and aborted calls cost
  --what-if MODEL=OTHER
                   Add what the calls of a model would have cost with another one, such as
                   gpt-4o=gpt-4.1-mini; may be repeated. Both read every call; with --csv only these
                   sums are printed
  --units          Add what was used beside tokens, by model: images, seconds of audio, characters,
                   searches, pages. With --csv only these sums are printed
  --run ID         Without a group: the tree of that run of an agent, whatever its time, with the calls
                   of each step by model
${CURRENCY_HELP}  --json, --csv    Print JSON or CSV instead of a table
${SOURCE_HELP}
Cost is an estimate from list prices or your price file. Calls without a known price are not part of
it; their models are listed.
`;

const SHORTHANDS: Readonly<Record<string, string>> = { hourly: 'hour', daily: 'day' };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...QUERY_OPTIONS,
      ...SOURCE_OPTIONS,
      compare: { type: 'boolean', default: false },
      percentiles: { type: 'boolean', default: false },
      savings: { type: 'boolean', default: false },
      units: { type: 'boolean', default: false },
      'what-if': { type: 'string', multiple: true, default: [] },
      currency: { type: 'string' },
      json: { type: 'boolean', default: false },
      csv: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals.length > 1 || (values.json && values.csv)) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const asked = (positionals[0] ?? values.by ?? '')
    .split(',')
    .map((name) => SHORTHANDS[name] ?? name)
    .join(',');
  const by = groupNames(asked, values, io);
  const whatIf = values['what-if'].map(whatIfRule);
  const { parseUsageTime, usageJson } = await import('otel-token-meter/exporter');
  const defaults = { since: by.includes('day') ? '30d' : '24h', timeZone: localZone() };
  const query: UsageQuery = {
    ...(await usageQuery({ ...values, by }, parseUsageTime, new Date(), defaults)),
    compare: values.compare ? 'previous' : 'none',
    percentiles: values.percentiles,
    distinct: true,
  };
  const { reader, name, ...configured } = await openUsageSource(values, io);
  try {
    const [runId, ...moreRuns] = values.run ?? [];
    if (by === '' && !values.csv && runId && moreRuns.length === 0) {
      return await reportRun(reader, runId, { ...values, ...configured }, io);
    }
    const answer = await reader.summary(query);
    const unpriced = answer.total.unpricedCalls > 0 ? await unpricedModels(reader, query) : [];
    const prices = await loadPrices(configured, io);
    const currency = displayCurrency(prices, values.currency, configured);
    const { from, to, filter = {} } = query;
    const costs =
      values.savings || whatIf.length > 0
        ? await analyseCosts(allRecords(reader, { from, to, filter }), {
            whatIf,
            listFile: configured.prices.listFile,
            ...(configured.pricesFile !== undefined && { pricesFile: configured.pricesFile }),
          })
        : undefined;
    const units = values.units ? await unitSums(reader, { from, to, filter }) : undefined;
    if (values.json) {
      const document = {
        ...answer,
        source: name,
        prices: prices.source,
        ...(currency && { currency }),
        unpriced,
        costs,
        units,
      };
      io.stdout.write(`${JSON.stringify(usageJson(document), undefined, 2)}
`);
    } else if (values.csv) {
      if (units !== undefined) io.stdout.write(await unitsCsv(units));
      else if (costs !== undefined) io.stdout.write(await costCsv(costs));
      else io.stdout.write(await reportCsv(answer, currency));
    } else {
      io.stdout.write(reportTable(answer, { percentiles: values.percentiles, currency }));
      if (costs !== undefined) io.stdout.write(costSections(costs, currency));
      if (units !== undefined) io.stdout.write(unitsSection(units));
      io.stderr.write(
        reportNotes(answer, { source: name, prices: prices.source, unpriced, currency }),
      );
    }
  } finally {
    await reader.close();
  }
  return 0;
}

/** The tree of one run, of whatever time. */
async function reportRun(
  reader: UsageReader,
  id: string,
  options: ConfiguredPrices & { readonly json: boolean; readonly currency?: string | undefined },
  io: CliIo,
): Promise<number> {
  const { usageJson, usageRun } = await import('otel-token-meter/exporter');
  const found = await usageRun(reader, id);
  if (found === undefined) {
    io.stderr.write(`No calls of the run ${shownName(id)} are recorded.\n`);
    return 1;
  }
  if (options.json) {
    io.stdout.write(`${JSON.stringify(usageJson(found), undefined, 2)}\n`);
    return 0;
  }
  const currency = displayCurrency(await loadPrices(options, io), options.currency, options);
  io.stdout.write(runTable(found, currency));
  io.stderr.write(runNotes(found));
  return 0;
}

/** Models that are not included in the cost. */
async function unpricedModels(
  reader: UsageReader,
  { from, to, filter = {} }: UsageQuery,
): Promise<readonly UnpricedModel[]> {
  const groupBy: readonly UsageGroup[] = ['provider', 'model'];
  const { rows } = await reader.summary({ from, to, filter, groupBy, limit: 1000 });
  return rows
    .filter(({ unpricedCalls, isOther }) => unpricedCalls > 0 && isOther !== true)
    .map(({ provider = '', model = '', unpricedCalls: calls }) => ({ provider, model, calls }));
}

function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
