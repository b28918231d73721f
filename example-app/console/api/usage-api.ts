import { displayIn } from '../formats.ts';
import { type Context, parametersOf } from '../view/parameters.ts';
import { type Gap, statisticsGaps } from '../view/statistics-gaps.ts';
import { ApiError, type Parameters, callApi, get, queryOf } from './client.ts';
import type { Contract, Conversation, Health } from './contract.ts';
import { SettingsHistory } from './settings-history.ts';

const history = new SettingsHistory();

type Counted =
  | '/api/usage/summary'
  | '/api/usage/records'
  | '/api/usage/table'
  | '/api/usage/costs'
  | '/api/usage/forecast';

/** Questions of one load of a view, whose range and filters apply to each. The same is sent once. */
export class UsageApi {
  readonly context: Context;
  readonly #signal: AbortSignal;
  #gaps:
    | Promise<{ readonly gaps: readonly Gap[]; readonly refused?: ApiError | undefined }>
    | undefined;
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(context: Context, signal: AbortSignal) {
    this.context = context;
    this.#signal = signal;
  }

  /** Amounts in the display currency, which the health of the application names. */
  async ask<Path extends Counted>(path: Path, parameters: Parameters): Promise<Contract[Path]> {
    return await this.askAll(path, { ...parametersOf(this.context), ...parameters });
  }

  /** The same without range and filters of the view. */
  async askAll<Path extends Counted>(path: Path, parameters: Parameters): Promise<Contract[Path]> {
    const [answer] = await Promise.all([this.#once(path, parameters), this.#currency()]);
    return answer;
  }

  summary(parameters: Parameters): Promise<Contract['/api/usage/summary']> {
    return this.ask('/api/usage/summary', parameters);
  }

  /** Of the present month, whatever range the view has. */
  forecast(): Promise<Contract['/api/usage/forecast']> {
    const { from: _from, to: _to, ...filters } = parametersOf(this.context);
    return this.askAll('/api/usage/forecast', filters);
  }

  /** Whether there is any call at all, whatever the view shows. */
  async isEmpty(): Promise<boolean> {
    const { records } = await this.askAll('/api/usage/records', { limit: 1 });
    return records.length === 0;
  }

  /** Undefined: there is no such conversation. */
  async conversation(id: string): Promise<Conversation | undefined> {
    try {
      const path = `/api/usage/conversations/${encodeURIComponent(id)}`;
      const answer = await callApi(path, { signal: this.#signal });
      await this.#currency();
      return (await answer.json()) as Conversation;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  health(): Promise<Health> {
    return this.#once('/api/usage/health', {});
  }

  /** Times of less recording, as far as it is known who switched it off. */
  async gaps(): Promise<readonly Gap[]> {
    const { gaps } = await (this.#gaps ??= this.#askGaps());
    return gaps;
  }

  /** Rejects if it could not be asked for who switched recording off. */
  async gapsRefused(): Promise<void> {
    const { refused } = await (this.#gaps ??= this.#askGaps());
    if (refused) throw refused;
  }

  async #askGaps(): Promise<{ gaps: readonly Gap[]; refused?: ApiError | undefined }> {
    const { settings } = await this.health();
    if (!settings) return { gaps: [] };
    // Nothing was ever changed.
    const isFirst = settings.version === 0;
    const { entries, refused } = await history.until(settings, async () => {
      if (isFirst) return [];
      const log = await this.#once('/api/settings/metrics/audit', { limit: 1000 });
      return log.entries;
    });
    const { from, end } = this.context.period;
    const range = { from: from.getTime(), to: Math.min(end, Date.now()) };
    return { gaps: statisticsGaps(entries, settings, range), refused };
  }

  async #currency(): Promise<void> {
    await this.health().then(
      ({ prices }) => displayIn(prices?.currency),
      () => undefined,
    );
  }

  #once<Path extends keyof Contract>(path: Path, parameters: Parameters): Promise<Contract[Path]> {
    const key = path + queryOf(parameters);
    const known = this.#asked.get(key) ?? get(path, parameters, this.#signal);
    this.#asked.set(key, known);
    return known as Promise<Contract[Path]>;
  }
}
