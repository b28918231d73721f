import { performance } from 'node:perf_hooks';

/** Runs one report at a time, at the earliest time that was asked for. Keeps no process alive. */
export class ReportTimer {
  readonly #report: () => Promise<void>;
  readonly #leastMs: number;
  readonly #mostMs: number;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;
  #isReporting = false;
  #isStopped = false;

  /** `report` never rejects. Between two reports there are at least `leastMs` and at most `mostMs`. */
  constructor(report: () => Promise<void>, leastMs: number, mostMs: number) {
    this.#report = report;
    this.#leastMs = leastMs;
    this.#mostMs = mostMs;
  }

  within(ms: number): void {
    const atMs = performance.now() + ms;
    if (this.#isStopped || atMs >= this.#atMs) return;
    this.#atMs = atMs;
    // Its end looks at what was asked for meanwhile.
    if (this.#isReporting) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), ms);
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#isReporting = true;
    this.#atMs = Infinity;
    await this.#report();
    this.#isReporting = false;
    const nextMs = Math.max(this.#leastMs, Math.min(this.#mostMs, this.#atMs - performance.now()));
    this.#atMs = Infinity;
    this.within(nextMs);
  }
}
