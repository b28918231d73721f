import { parseArgs } from 'node:util';
import { resolveConfig } from '../../config/index.ts';
import { TokenMeterError } from '../../errors.ts';
import { explainPrice, type KindPrice, type PriceExplanation } from '../../prices/explain-price.ts';
import type { PriceSource } from '../../prices/prices.ts';
import { tierPrice } from '../../prices/service-tier.ts';
import type { CliIo } from '../io.ts';
import { loadPrices, shownPriceSource } from '../price-options.ts';
import { shownName } from '../shown-number.ts';
import { textTable } from '../text-table.ts';

export const SHOW_HELP = `show explains the price of a model, for each kind of usage: the unit price, where it comes from, the
contract, discount and margin that apply, and the kinds without a price.

  --provider NAME        gen_ai.provider.name, such as openai or aws.bedrock (default: the vendor)
  --at DATE              Time of the call (default: now)
  --attribute NAME=VALUE Attribute of the call; may be repeated
  --prices FILE          Price file (default: from the configuration)
  --config FILE          YAML file (default: OTEL_CONFIG_FILE)
  --json                 Print JSON
`;

export async function showPrices(
  args: readonly string[],
  io: CliIo,
  help: string,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      provider: { type: 'string', default: 'unknown' },
      at: { type: 'string' },
      attribute: { type: 'string', multiple: true, default: [] },
      prices: { type: 'string' },
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [model, ...more] = positionals;
  if (values.help || model === undefined || more.length > 0) {
    (values.help ? io.stdout : io.stderr).write(help);
    return values.help ? 0 : 2;
  }
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const prices = await loadPrices(config, io, values.prices);
  const { source } = prices;
  const question = {
    provider: values.provider,
    model,
    time: timeOf(values.at),
    attributes: Object.fromEntries(values.attribute.map(attributeOf)),
  };
  const explained = explainPrice(prices, question);
  if (values.json) {
    const document = {
      model,
      provider: values.provider,
      at: question.time.toISOString(),
      source,
      ...(explained ? json(explained) : { prices: [] }),
    };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else if (explained === undefined) {
    const of = values.provider === 'unknown' ? '' : ` of ${shownName(values.provider)}`;
    io.stderr.write(`No price is known for ${shownName(model)}${of}.\n`);
    if (source !== undefined) io.stderr.write(`Prices: ${shownPriceSource(source)}\n`);
  } else {
    const title = `${shownName(model)}, ${question.time.toISOString().slice(0, 10)}`;
    io.stdout.write(
      `${title}\n\n${table(explained, source)}${notes(explained, source, values.provider)}`,
    );
  }
  return explained === undefined ? 1 : 0;
}

function timeOf(text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new TokenMeterError('INVALID_OPTION', '--at is not valid', {
    value: text,
    allowed: 'a date such as 2026-11-15, or an RFC 3339 time',
  });
}

function attributeOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new TokenMeterError('INVALID_OPTION', '--attribute is not valid', {
    value: text,
    allowed: 'NAME=VALUE',
  });
}

function json({ freeTiers, ...explained }: PriceExplanation): Record<string, unknown> {
  return { ...explained, free_tiers: freeTiers };
}

function table({ prices }: PriceExplanation, source: PriceSource | undefined): string {
  const isAdjusted = prices.some(({ before }) => before !== undefined);
  const rows = prices.flatMap((price) => [
    [
      price.kind,
      dollars(price.usd),
      ...(isAdjusted ? [dollars(price.before ?? price.usd)] : []),
      price.unit,
      sourceOf(price, source),
    ],
    ...(price.above ?? []).map(({ input_tokens: above, usd }) => [
      `  above ${above.toLocaleString('en-US')} input tokens`,
      dollars(usd),
      ...(isAdjusted ? [''] : []),
      price.unit,
      '',
    ]),
  ]);
  const head = ['kind', 'price', ...(isAdjusted ? ['before'] : []), 'unit', 'source'];
  return textTable(head, rows, ['price', 'before']);
}

/** At least cents, and up to six digits: prices are shown as they are. */
function dollars(usd: number): string {
  const exact = Number(usd.toPrecision(6));
  return `$${exact.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 12, useGrouping: false })}`;
}

function sourceOf(
  { as, source, entry, currency }: KindPrice,
  known: PriceSource | undefined,
): string {
  const list = `${known?.name ?? 'list'}${known?.date === undefined ? '' : ` of ${known.date}`}`;
  const rate =
    currency === undefined
      ? ''
      : `, ${currency.code} at ${currency.usd_per_unit}${currency.date === undefined ? '' : ` of ${currency.date}`}`;
  const from =
    source === 'list'
      ? list
      : source === 'addition'
        ? 'added by otel-token-meter'
        : `${entry ?? ''} of the price file${rate}`;
  return as === undefined ? from : `${from}, as ${as}`;
}

function notes(
  { listed, missing, discount, margin, freeTiers }: PriceExplanation,
  source: PriceSource | undefined,
  provider: string,
): string {
  const lines: string[] = [];
  if (listed !== undefined) lines.push(`In the list: ${listed.provider}/${listed.model}`);
  if (discount) lines.push(`Discount: ${discount.percent} % (${discount.entry})`);
  if (margin) lines.push(`Margin: ${margin.percent} % (${margin.entry})`);
  for (const { entry, free } of freeTiers) {
    lines.push(`Free: ${free} (${entry}), applied by reprice`);
  }
  const half = ['flex', 'batch'].filter(
    (tier) => tierPrice({ provider, serviceTier: tier }).factor < 1,
  );
  lines.push(`At half the price of tokens: ${half.join(' and ')}`);
  if (missing.length > 0) lines.push(`No price is known for: ${missing.join(', ')}`);
  if (source?.problem !== undefined) lines.push(`Note: ${source.problem}`);
  return `\n${lines.map((line) => `${line}\n`).join('')}`;
}
