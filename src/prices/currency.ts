import { fileProblem, positiveNumber } from './file-problem.ts';
import { isDateOrTime } from './scope.ts';

/** A currency and its fixed rate. */
export interface CurrencyRate {
  /** ISO 4217 code. */
  readonly code: string;
  readonly usdPerUnit: number;
  /** Date of the rate, when given. */
  readonly date?: string;
}

export const US_DOLLAR: CurrencyRate = { code: 'USD', usdPerUnit: 1 };

const CODE = /^[A-Z]{3}$/;
const RATE = 'US dollars per unit, such as 1.08, or { "rate": 1.08, "date": "2026-11-01" }';

/** `usdPer` of a price file. A rate without its own date has that of the file. */
export function parseRates(
  usdPer: unknown,
  fileDate: string | undefined,
): ReadonlyMap<string, CurrencyRate> {
  const rates = new Map([[US_DOLLAR.code, US_DOLLAR]]);
  if (usdPer === undefined) return rates;
  if (typeof usdPer !== 'object' || usdPer === null || Array.isArray(usdPer)) {
    return fileProblem('usdPer', usdPer, 'an object such as { "EUR": 1.08 }');
  }
  for (const [code, value] of Object.entries(usdPer)) {
    const where = `usdPer.${code}`;
    if (!CODE.test(code)) fileProblem(where, code, 'a currency code of three capital letters');
    if (code === US_DOLLAR.code) fileProblem(where, value, 'absent: amounts are in USD');
    const isDated = typeof value === 'object' && value !== null;
    const { rate, date } = (isDated ? value : { rate: value }) as Record<string, unknown>;
    if (date !== undefined && (typeof date !== 'string' || !isDateOrTime(date))) {
      fileProblem(`${where}.date`, date, 'a date such as 2026-01-31');
    }
    const dated = date ?? fileDate;
    rates.set(code, {
      code,
      usdPerUnit: positiveNumber(rate, where, RATE),
      ...(typeof dated === 'string' && { date: dated }),
    });
  }
  return rates;
}

/** The rate of the currency of an entry. */
export function rateOf(
  rates: ReadonlyMap<string, CurrencyRate>,
  currency: unknown,
  where: string,
): CurrencyRate {
  if (currency === undefined) return US_DOLLAR;
  const rate = typeof currency === 'string' ? rates.get(currency) : undefined;
  return rate ?? fileProblem(where, currency, 'USD or a currency that has a rate in usdPer');
}
