import { downloadList } from './list-download.ts';
import { readListFile } from './list-file.ts';
import { updateListFile } from './list-update.ts';

export interface PriceRefreshOptions {
  readonly url: string;
  /** File of the list. Processes that share it download the list once. */
  readonly file: string;
  readonly intervalMs: number;
  /** The file has a newer list. */
  readonly onNewer: () => Promise<void>;
  readonly onProblem: (error: unknown) => void;
  /** @default the network */
  readonly download?: (url: string) => Promise<string>;
  /** @default Date.now */
  readonly now?: () => number;
  /** 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** After a failure, unless the interval is shorter. */
const RETRY_MS = 3_600_000;
/** The longest time of a timer. */
const MAX_WAIT_MS = 2 ** 31 - 1;
/** Processes that start together do not ask at the same time. */
const SPREAD_MS = 30_000;

/**
 * Downloads the price list once per interval. Its timer does not keep the process alive, and neither does a
 * download. After a failure the list in use stays.
 */
export class PriceRefresh {
  readonly #options: Required<PriceRefreshOptions>;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** `retrieved` of the list in use. */
  #inUse: string | undefined;

  constructor(options: PriceRefreshOptions) {
    this.#options = {
      download: (url) => downloadList(url, { holdsProcess: false }),
      now: Date.now,
      random: Math.random,
      ...options,
    };
  }

  /** The list in use was read from the file just now. */
  async start(): Promise<void> {
    const { file, random } = this.#options;
    this.#inUse = (await readListFile(file).catch(() => undefined))?.retrieved;
    this.#wait(Math.max(this.#dueInMs(this.#inUse), random() * SPREAD_MS));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Downloads the list, unless another process has. Never rejects. */
  async refresh(): Promise<void> {
    const { url, file, download, now, intervalMs, onNewer, onProblem } = this.#options;
    try {
      let retrieved = (await readListFile(file).catch(() => undefined))?.retrieved;
      if (this.#dueInMs(retrieved) <= 0) {
        const date = (): Date => new Date(now());
        ({ retrieved } = await updateListFile({ url, path: file, download, now: date }));
      }
      if (retrieved !== this.#inUse) {
        await onNewer();
        this.#inUse = retrieved;
      }
      this.#wait(this.#dueInMs(retrieved));
    } catch (error) {
      onProblem(error);
      this.#wait(Math.min(intervalMs, RETRY_MS));
    }
  }

  #dueInMs(retrieved: string | undefined): number {
    const { now, intervalMs } = this.#options;
    // A date in the future is wrong.
    const age = retrieved === undefined ? Infinity : Math.abs(now() - Date.parse(retrieved));
    return Math.max(0, intervalMs - age);
  }

  #wait(ms: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), Math.min(ms, MAX_WAIT_MS)).unref();
  }
}
