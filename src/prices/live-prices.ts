import type { CurrencyRate } from './currency.ts';
import { PriceRefresh } from './price-refresh.ts';
import type { CallCost, PricedCall } from './priced-call.ts';
import { Prices, type PriceSource } from './prices.ts';

export interface LivePricesOptions {
  readonly pricesFile?: string | undefined;
  readonly listFile: string;
  readonly refreshUrl?: string | undefined;
  readonly refreshIntervalMs: number;
  readonly currency?: string | undefined;
  /** An invalid file, or a failed download. Prices that are there stay in effect. */
  readonly onProblem: (message: string) => void;
}

/** The prices of a running application. */
export class LivePrices {
  readonly #options: LivePricesOptions;
  readonly #prices: Prices;
  #loading: Promise<void> | undefined;
  #currency: CurrencyRate | undefined;
  #problem: string | undefined;

  constructor(options: LivePricesOptions) {
    const { pricesFile, listFile } = options;
    this.#options = options;
    this.#prices = new Prices({
      listFile,
      ...(pricesFile !== undefined && { overridesFile: pricesFile }),
    });
  }

  /** Loads the prices once, and starts to refresh them. Never rejects. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** `undefined` until the prices are loaded. */
  get source(): PriceSource | undefined {
    const { source } = this.#prices;
    return (
      source && {
        ...source,
        ...(this.#problem !== undefined && { problem: this.#problem }),
        ...(this.#currency && { currency: this.#currency }),
      }
    );
  }

  price(call: PricedCall): CallCost | undefined {
    return this.#prices.price(call);
  }

  async #load(): Promise<void> {
    const {
      currency,
      refreshUrl: url,
      listFile: file,
      refreshIntervalMs: intervalMs,
    } = this.#options;
    await this.#reporting(() => this.#prices.load());
    const { problem } = this.#prices.source ?? {};
    if (problem !== undefined) this.#options.onProblem(problem);
    for (const warning of this.#prices.file.warnings) {
      this.#options.onProblem(`prices: ${warning}`);
    }
    if (currency !== undefined) {
      await this.#reporting(() => (this.#currency = this.#prices.rateOf(currency)));
    }
    if (url === undefined) return;
    const refresh = new PriceRefresh({
      url,
      file,
      intervalMs,
      onNewer: async () => {
        await this.#prices.reloadList();
        this.#problem = undefined;
      },
      onProblem: (error) => {
        this.#problem = messageOf(error);
        this.#options.onProblem(this.#problem);
      },
    });
    void refresh.start();
  }

  async #reporting(step: () => unknown): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#options.onProblem(messageOf(error));
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
