import type { ExportCounts } from '../health/export-counts.ts';
import type { ExporterError, ExporterState } from '../health/status.ts';
import type { BackOff } from './back-off.ts';

/** What the last attempts say about the server, and when the next may be made. */
export class ServerState {
  readonly #backOff: BackOff;
  readonly #counts: ExportCounts;
  #state: ExporterState = 'ok';
  #isStopped = false;
  /** Resolves when the pause after the last failure is over. */
  #pause: Promise<void> = Promise.resolve();
  #endPause: () => void = () => {};
  #isPauseAskedFor = false;
  /** While the server fails, one attempt at a time finds out whether it still does. */
  #probe: Promise<unknown> | undefined;
  lastError: ExporterError | undefined;
  lastSuccess: string | undefined;

  constructor(backOff: BackOff, counts: ExportCounts) {
    this.#backOff = backOff;
    this.#counts = counts;
  }

  get state(): ExporterState {
    return this.#isStopped ? 'closed' : this.#state;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#backOff.failures;
  }

  /** Makes an attempt when it is its turn; undefined once stopped. */
  async attempt<T>(make: () => Promise<T>): Promise<T | undefined> {
    await this.#pause;
    while (this.#probe !== undefined && !this.#isStopped) {
      await this.#probe;
      await this.#pause;
    }
    if (this.#isStopped) return undefined;
    const attempt = make();
    if (this.failures > 0) this.#probe = attempt.finally(() => (this.#probe = undefined));
    return await attempt;
  }

  /** Ends the current pause, unless the server asked for it: the next attempt is made at once. */
  retryNow(): void {
    if (!this.#isPauseAskedFor) this.#endPause();
  }

  /** No attempt begins after this; those under way come to their end. */
  stop(): void {
    this.#isStopped = true;
    this.#endPause();
  }

  succeeded(): void {
    this.#backOff.succeed();
    this.#state = 'ok';
    this.lastSuccess = new Date().toISOString();
    this.#endPause();
  }

  /** `attention`: a person must put something right. */
  failed(kind: 'later' | 'attention', code: string, message: string, retryAfterMs?: number): void {
    this.#state = kind === 'attention' || this.failures >= 10 ? 'failing' : 'retrying';
    this.lastError = { time: new Date().toISOString(), code, message };
    this.#counts.warn(
      kind === 'attention' ? `attention ${code}` : 'later',
      kind === 'attention'
        ? `the server does not take writes (${message}); records are kept until that is put right`
        : `cannot write now (${message}); records are kept and sent again`,
    );
    const ms = this.#backOff.fail(retryAfterMs);
    this.#isPauseAskedFor = retryAfterMs !== undefined;
    this.#endPause();
    this.#pause = new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
