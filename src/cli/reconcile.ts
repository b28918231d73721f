import { parseArgs } from 'node:util';
import type { UsageReader } from 'otel-token-meter/exporter';
import type { Range } from '../bill/comparison.ts';
import { LedgerFigures } from '../bill/ledger-figures.ts';
import { reconcile, ZONE_HOURS } from '../bill/reconcile.ts';
import { allRecords } from './all-records.ts';
import { costAtUnitPrices } from './reconcile/unit-cost.ts';
import type { CliIo } from './io.ts';
import { loadPrices, shownPriceSource } from './price-options.ts';
import { apiSource, isApiSource } from './reconcile/api-source.ts';
import { fileBill, isFileSource } from './reconcile/file-source.ts';
import {
  absentText,
  reconciliationCsv,
  reconciliationJson,
  reconciliationText,
} from './reconcile/output.ts';
import { reconcileRange } from './reconcile/range.ts';
import { shownCount } from './shown-number.ts';
import { openUsageSource, SOURCE_HELP, SOURCE_OPTIONS } from './usage-source.ts';

export const summary: string = 'compare the ledger with what the provider reports or bills';

const HELP = `Usage: otel-token-meter reconcile openai | anthropic | openrouter [options]
       otel-token-meter reconcile invoice FILE | focus FILE [options]

Sets the figures of a provider beside the ledger by day, model and kind of usage, and tests why they
differ: calls that were not metered, other keys, another price, a half-price tier, a time zone.

openai, anthropic and openrouter read the usage and cost API with an admin key from the environment:
OPENAI_ADMIN_KEY, ANTHROPIC_ADMIN_API_KEY or OPENROUTER_MANAGEMENT_KEY, or a file named by the same
variable with _FILE.

  --month YYYY-MM  The month (default: the previous one)
  --since DATE, --until DATE   Other days, in UTC; --until is exclusive
  --accounts NAME  Group by key (default), project (OpenAI) or workspace (Anthropic)
  --base-url URL   Address of the API
  --columns LIST   Columns of an invoice: day=Date,model=Model,kind=Meter,quantity=Usage,cost=Amount,…
  --model-column NAME   Column of a FOCUS file with the model (default: x_Model, or ResourceName)
  --provider NAME  Calls of this provider only; may be repeated (default: that of the API, or all)
  --prices FILE    Price file (default: from the configuration)
  --all            Print equal figures too
  --json, --csv    Print JSON or CSV instead of a table
${SOURCE_HELP}
Exit codes: 0 equal (but for roundings), 3 there is a gap, 4 the bill has no usage or no costs to
compare, 1 failure, 2 unknown option.
`;

/** Neither success nor failure: both sides were read, and they differ, or could not be compared. */
const EXIT_CODES = { equal: 0, gap: 3, not_compared: 4 } as const;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...SOURCE_OPTIONS,
      month: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      accounts: { type: 'string' },
      'base-url': { type: 'string' },
      columns: { type: 'string' },
      'model-column': { type: 'string' },
      provider: { type: 'string', multiple: true },
      prices: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      csv: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [source, file, ...more] = positionals;
  const isApi = isApiSource(source) && file === undefined;
  const isFile = isFileSource(source) && file !== undefined;
  if (values.help || !(isApi || isFile) || more.length > 0 || (values.json && values.csv)) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const range = await reconcileRange(values, new Date());
  // The key is looked for before the ledger is read, which may take minutes.
  const api = isApi ? await apiSource(source, values, io.env) : undefined;
  const { reader, name, ...configured } = await openUsageSource(values, io);
  try {
    const prices = await loadPrices(configured, io, values.prices);
    const toUsd = (amount: number, code: string): number => amount * prices.rateOf(code).usdPerUnit;
    const bill =
      api === undefined ? await fileBill(source, file ?? '', values, toUsd) : await api.bill(range);
    const providers = values.provider ?? api?.providers;
    const figures = new LedgerFigures((call) => prices.price(call));
    const ledger = await readLedger(reader, range, { figures, providers }, io);
    const provider = providers?.length === 1 ? providers[0] : undefined;
    const result = reconcile(bill, ledger, range, (model, day, quantities) =>
      costAtUnitPrices(prices, { provider: provider ?? 'unknown', model, day, quantities }),
    );
    const context = {
      bill,
      range,
      ledger: name,
      calls: ledger.calls,
      prices: prices.source ? shownPriceSource(prices.source) : '',
    };
    if (values.json) io.stdout.write(reconciliationJson(result, context));
    else if (values.csv) io.stdout.write(await reconciliationCsv(result));
    else io.stdout.write(reconciliationText(result, context, { all: values.all }));
    if (values.csv && result.state === 'not_compared') {
      io.stderr.write(`${absentText(result.coverage)}\n`);
    }
    return EXIT_CODES[result.state];
  } finally {
    await reader.close();
  }
}

/** Reads the range, and what days in other time zones need around it. */
async function readLedger(
  reader: UsageReader,
  { from, to }: Range,
  {
    figures,
    providers,
  }: { readonly figures: LedgerFigures; readonly providers: readonly string[] | undefined },
  io: CliIo,
): Promise<LedgerFigures> {
  const aroundMs = ZONE_HOURS * 3_600_000;
  const isWatched = io.stderr.isTTY === true;
  const records = allRecords(reader, {
    from: new Date(from.getTime() - aroundMs),
    to: new Date(to.getTime() + aroundMs),
    ...(providers !== undefined && { filter: { provider: providers } }),
  });
  for await (const record of records) {
    figures.add(record);
    if (isWatched && figures.calls % SHOWN_EVERY === 0) {
      io.stderr.write(`\r${shownCount(figures.calls)} calls\u001B[K`);
    }
  }
  if (isWatched) io.stderr.write('\r\u001B[K');
  return figures;
}

/** Calls between two words of progress. */
const SHOWN_EVERY = 1000;
