/** Runs a task repeatedly, never two of it at once, without holding the process. */
export class Loop {
  readonly #everyMs: number;
  readonly #task: () => Promise<void>;
  readonly #onError: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void>;
  #isStopped = false;

  /** The first run begins at once. */
  constructor(everyMs: number, task: () => Promise<void>, onError: (error: Error) => void) {
    this.#everyMs = everyMs;
    this.#task = task;
    this.#onError = onError;
    this.#running = this.#run();
  }

  /** Resolves when the task does not run any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#task();
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => (this.#running = this.#run()), this.#everyMs);
    this.#timer.unref();
  }
}
