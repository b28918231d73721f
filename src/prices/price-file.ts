import { readFile } from 'node:fs/promises';
import { TokenMeterError } from '../errors.ts';
import { isObject } from '../tokens/json.ts';
import { type Adjustment, parseAdjustments } from './adjustment.ts';
import { type ContractPrice, parseContractPrice } from './contract-price.ts';
import { type CurrencyRate, parseRates, US_DOLLAR } from './currency.ts';
import { fileProblem, objectsAt, onlyMembers } from './file-problem.ts';
import { type FreeTier, parseFreeTiers } from './free-tier.ts';
import type { KeyInFile, UseInFile } from './kinds.ts';
import type { ScopeEntry } from './scope.ts';
import { unusedEntries } from './unused-entries.ts';

type Prices<Kind extends string> = { readonly [K in Kind]?: number };

/** Contract prices of a model. Each kind has the price of the first entry that fits and names it. */
interface PriceEntry extends ScopeEntry {
  readonly model: string;
  /** ISO 4217 code, converted by `usdPer`. @default 'USD' */
  readonly currency?: string;
  /**
   * With `input` and `output`, a kind without a price uses that of the kind that includes it. Without
   * them the entry adds prices to the list.
   */
  readonly perMillionTokens?: Prices<KeyInFile<'Tokens'>>;
  readonly perThousand?: Prices<UseInFile>;
  readonly perMinute?: Prices<KeyInFile<'Seconds'>>;
  readonly perMillionCharacters?: Prices<KeyInFile<'Characters'>>;
}

interface PercentEntry extends ScopeEntry {
  readonly percent: number;
}

interface FreeTierEntry extends ScopeEntry {
  readonly per: 'day' | 'month';
  /** Exactly one of these. */
  readonly calls?: number;
  readonly tokens?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** Content of a price file. */
export interface PriceOverrides {
  /** Shown with costs, for example the date of the contract. */
  readonly date?: string;
  /** Fixed exchange rates: US dollars per unit of each other currency, `{ "EUR": 1.08 }`. */
  readonly usdPer?: Readonly<
    Record<string, number | { readonly rate: number; readonly date?: string }>
  >;
  readonly prices?: readonly PriceEntry[];
  /** Off the list price. The first one that fits applies. */
  readonly discounts?: readonly PercentEntry[];
  /** On every computed cost. The first one that fits applies. */
  readonly margins?: readonly PercentEntry[];
  /** Applied by `reprice`. The first one that fits applies. */
  readonly freeTiers?: readonly FreeTierEntry[];
}

/** A validated price file, in US dollars. */
export interface PriceFile {
  /** `date` of the file, or its path. */
  readonly name: string;
  readonly rates: ReadonlyMap<string, CurrencyRate>;
  readonly prices: readonly ContractPrice[];
  readonly discounts: readonly Adjustment[];
  readonly margins: readonly Adjustment[];
  readonly freeTiers: readonly FreeTier[];
  /** Entries that can never apply, each named with the reason. */
  readonly warnings: readonly string[];
}

export const NO_PRICE_FILE: PriceFile = {
  name: '',
  rates: new Map([[US_DOLLAR.code, US_DOLLAR]]),
  prices: [],
  discounts: [],
  margins: [],
  freeTiers: [],
  warnings: [],
};

const MEMBERS = ['$schema', 'date', 'usdPer', 'prices', 'discounts', 'margins', 'freeTiers'];

/** Rejects with `INVALID_CONFIG` that names the file, or the first invalid entry. */
export async function readPriceFile(path: string): Promise<PriceFile> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new TokenMeterError('INVALID_CONFIG', `prices: cannot read ${path} as JSON`, {
      value: path,
      allowed: 'a readable JSON file',
      cause,
    });
  }
  return parsePriceFile(content, path);
}

function parsePriceFile(content: unknown, path: string): PriceFile {
  if (!isObject(content)) return fileProblem('the file', content, 'an object');
  onlyMembers(content, '', MEMBERS);
  const { date } = content;
  if (date !== undefined && typeof date !== 'string') fileProblem('date', date, 'a text');
  const rates = parseRates(content['usdPer'], date);
  const lists = {
    prices: objectsAt(content, 'prices').map(([where, entry]) =>
      parseContractPrice(entry, where, rates),
    ),
    discounts: parseAdjustments(content, 'discounts'),
    margins: parseAdjustments(content, 'margins'),
    freeTiers: parseFreeTiers(content),
  };
  return { name: date ?? path, rates, ...lists, warnings: unusedEntries(lists) };
}
