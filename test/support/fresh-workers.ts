import { createRequire } from 'node:module';

/**
 * A worker is replaced after so many files. All that a file has loaded stays in its process (copies of SDKs, hooks
 * of `require`), and the collector goes through it again and again.
 */
const FILES = 10;

interface Workers {
  run(file: string, options: object): Promise<unknown>;
  terminate(force?: boolean): Promise<unknown>;
  stats(): object;
}

interface Slot {
  workers: Workers;
  files: number;
}

/** Workers of Mocha's parallel mode, each in a pool of its own, since such a pool never replaces one. */
class FreshWorkers implements Workers {
  readonly #make: () => Workers;
  readonly #slots: Slot[];
  readonly #idle: Slot[];
  readonly #waiting: ((slot: Slot) => void)[] = [];

  constructor(count: number, make: () => Workers) {
    this.#make = make;
    this.#slots = Array.from({ length: count }, () => ({ workers: make(), files: 0 }));
    this.#idle = [...this.#slots];
  }

  async run(file: string, options: object): Promise<unknown> {
    const slot =
      this.#idle.pop() ?? (await new Promise<Slot>((resolve) => this.#waiting.push(resolve)));
    try {
      if (slot.files === FILES) {
        await slot.workers.terminate();
        slot.workers = this.#make();
        slot.files = 0;
      }
      slot.files += 1;
      return await slot.workers.run(file, options);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(slot);
      else next(slot);
    }
  }

  async terminate(force?: boolean): Promise<void> {
    await Promise.all(this.#slots.map(async ({ workers }) => await workers.terminate(force)));
  }

  stats(): object {
    return { slots: this.#slots.map(({ workers }) => workers.stats()) };
  }
}

interface MochaWorkers {
  readonly BufferedWorkerPool: { create(options: { readonly maxWorkers: number }): Workers };
}

// Workers load this file as well.
if (process.env['MOCHA_WORKER_ID'] === undefined) {
  const require = createRequire(import.meta.url);
  const { BufferedWorkerPool } =
    require('mocha/lib/nodejs/buffered-worker-pool.cjs') as MochaWorkers;
  const create = BufferedWorkerPool.create.bind(BufferedWorkerPool);
  BufferedWorkerPool.create = ({ maxWorkers }) =>
    new FreshWorkers(maxWorkers, () => create({ maxWorkers: 1 }));
}
