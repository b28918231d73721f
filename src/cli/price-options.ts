import type { PricesConfig } from '../config/settings/prices.ts';
import type { CurrencyRate } from '../prices/currency.ts';
import { Prices, type PriceSource } from '../prices/prices.ts';
import type { CliIo } from './io.ts';

/** What a command knows of prices from the configuration. */
export interface ConfiguredPrices {
  readonly pricesFile?: string;
  readonly prices: PricesConfig;
}

/**
 * `overridesFile`: the price file that the command was given. Entries of it that never apply are named on
 * stderr.
 */
export async function loadPrices(
  { pricesFile, prices: { listFile } }: ConfiguredPrices,
  io: Pick<CliIo, 'stderr'>,
  overridesFile: string | undefined = pricesFile,
): Promise<Prices> {
  const prices = new Prices({
    listFile,
    ...(overridesFile !== undefined && { overridesFile }),
  });
  await prices.load();
  for (const warning of prices.file.warnings) io.stderr.write(`prices: ${warning}\n`);
  return prices;
}

/** The display currency: the one asked for, or the configured one. Throws if it has no rate. */
export function displayCurrency(
  prices: Prices,
  code: string | undefined,
  { prices: { currency } }: ConfiguredPrices,
): CurrencyRate | undefined {
  const chosen = code?.toUpperCase() ?? currency;
  return chosen === undefined || chosen === 'USD' ? undefined : prices.rateOf(chosen);
}

/** `genai-prices 0.1.8 of 2026-09-23, overridden by contract prices 2026-11-15`. */
export function shownPriceSource({ name, date, file, overrides }: PriceSource): string {
  return (
    name +
    (date === undefined ? '' : ` of ${date}`) +
    (file === undefined ? '' : ` (${file})`) +
    (overrides === undefined ? '' : `, overridden by contract prices ${overrides}`)
  );
}

/** `Amounts in EUR at 1.08 US dollars of 2026-11-01`. */
export function shownRate({ code, usdPerUnit, date }: CurrencyRate): string {
  return `Amounts in ${code} at ${usdPerUnit} US dollars${date === undefined ? '' : ` of ${date}`}`;
}

export const CURRENCY_HELP = `  --currency CODE  Currency of amounts, with a rate in the price file (default: configured, or USD)
`;
