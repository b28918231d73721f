import type { Setting } from '../setting.ts';
import { DAY_S, http, seconds, string } from './kinds.ts';

export interface PricesConfig {
  readonly listFile: string;
  readonly refreshUrl?: string;
  readonly refreshIntervalMs: number;
  readonly currency?: string;
}

/** The price list and the currency of costs. Contract prices are in `prices_file`. */
export const prices: readonly Setting[] = [
  {
    key: 'prices.list_file',
    path: 'prices.listFile',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_PRICE_LIST_FILE'],
    default: '.token-meter/price-list.json',
    description:
      'File of a downloaded price list. It is used if it exists and is newer than the installed list.',
  },
  {
    key: 'prices.refresh_url',
    path: 'prices.refreshUrl',
    block: 'instrumentation',
    kind: http,
    env: ['TOKEN_METER_PRICES_REFRESH_URL'],
    // May contain the key of a mirror.
    secret: true,
    description:
      'URL that the price list is downloaded from at run time, in the form that genai-prices publishes. Without it nothing is downloaded.',
  },
  {
    key: 'prices.refresh_interval',
    path: 'prices.refreshIntervalMs',
    block: 'instrumentation',
    kind: seconds(60, 31 * DAY_S),
    env: ['TOKEN_METER_PRICES_REFRESH_INTERVAL'],
    default: DAY_S * 1000,
    description: 'Seconds between two downloads of the price list.',
  },
  {
    key: 'prices.currency',
    path: 'prices.currency',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_CURRENCY'],
    description:
      'Currency that costs are displayed in, with a rate in the price file. Costs are recorded in US dollars.',
  },
];
