import { signal } from '@preact/signals';
import type { RecordsPage } from '../api/contract.ts';
import type { UsageApi } from '../api/usage-api.ts';
import type { Pager } from '../components/table.tsx';
import { t } from '../texts.ts';

/** Where one is in the pages of calls. Only the first page is updated live. */
export class CallPages {
  readonly #size: number;
  /** Cursors of the pages up to the current one; the first page has none. */
  readonly #cursors = signal<readonly (string | undefined)[]>([undefined]);

  readonly #isTurning = signal(false);

  constructor(size: number) {
    this.#size = size;
  }

  /** Asks for the page that is wanted when the answer comes. */
  readonly question = async (api: UsageApi): Promise<RecordsPage> => {
    for (;;) {
      const cursor = this.#cursors.peek().at(-1);
      const page = await api.ask('/api/usage/records', { limit: this.#size, cursor });
      if (cursor === this.#cursors.peek().at(-1)) return page;
    }
  };

  /** Whether another page is on its way. */
  get isTurning(): boolean {
    return this.#isTurning.value;
  }

  /** Returns to the first page. */
  reset(): void {
    if (this.#cursors.peek().length > 1) this.#cursors.value = [undefined];
  }

  /** `load` asks again. One page at a time: its answer has the cursor of the next one. */
  pager(page: RecordsPage | undefined, load: () => Promise<void>): Pager {
    const cursors = this.#cursors.value;
    const after = page?.cursor;
    const goTo = (next: readonly (string | undefined)[]) => () => void this.#turn(next, load);
    return {
      before: t('calls.newer'),
      after: t('calls.older'),
      onBefore: cursors.length > 1 ? goTo(cursors.slice(0, -1)) : undefined,
      onAfter: after !== undefined ? goTo([...cursors, after]) : undefined,
    };
  }

  async #turn(next: readonly (string | undefined)[], load: () => Promise<void>): Promise<void> {
    if (this.#isTurning.peek()) return;
    this.#isTurning.value = true;
    this.#cursors.value = next;
    await load();
    this.#isTurning.value = false;
  }
}
