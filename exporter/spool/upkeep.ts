import { adoptSegments } from './adoption.ts';
import { Loop } from './loop.ts';
import { AbandonedFolders } from './owner.ts';
import type { SegmentStore, SegmentStoreOptions } from './segment-store.ts';

const SECOND_MS = 1000;
const ADOPTION_INTERVAL_MS = 30_000;
/** Segments this far behind the one that is sent are compressed. */
const PLAIN_SEGMENTS = 3;
/** What is delivered within seconds is not worth the work. */
const COMPRESS_AFTER_MS = 10_000;
/** Segments compressed in a second: the work of a thread of the pool. */
const MAX_COMPRESSIONS = 8;

/**
 * What a store needs from time to time, each in a loop of its own: adopting thousands of segments delays
 * neither the signs of life nor the fsync.
 */
export class Upkeep {
  readonly #store: SegmentStore;
  readonly #options: SegmentStoreOptions;
  readonly #abandoned: AbandonedFolders;
  readonly #loops: readonly Loop[];
  #isStopped = false;

  constructor(store: SegmentStore, options: SegmentStoreOptions) {
    this.#store = store;
    this.#options = options;
    this.#abandoned = new AbandonedFolders(options.fs);
    const { onUpkeepError, fsync } = options;
    const loop = (everyMs: number, task: () => Promise<void>): Loop =>
      new Loop(everyMs, task, onUpkeepError);
    this.#loops = [
      loop(ADOPTION_INTERVAL_MS, async () => await this.#adopt()),
      loop(SECOND_MS, async () => await store.keepAlive()),
      loop(SECOND_MS, async () => await store.rotate()),
      loop(SECOND_MS, async () => await this.#compress()),
      ...(fsync === 'interval' ? [loop(SECOND_MS, async () => await store.sync())] : []),
    ];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops.map(async (loop) => await loop.stop()));
  }

  async #adopt(): Promise<void> {
    const { folder, onAdopted, onUpkeepError } = this.#options;
    const { shared, segments } = this.#store;
    const { path } = await this.#store.folder();
    const places = { parent: folder, own: path };
    for await (const segment of adoptSegments(shared, places, this.#abandoned, onUpkeepError)) {
      segments.addAdopted(segment);
      if (segment.pendingLines > 0) onAdopted(segment.pendingLines);
      else await segments.removeIfFinished(segment);
      if (this.#isStopped) return;
    }
    await this.#store.survey();
  }

  async #compress(): Promise<void> {
    const { compressAfterMs = COMPRESS_AFTER_MS } = this.#options;
    const newest = performance.now() - compressAfterMs;
    let before = 0;
    let done = 0;
    for (const segment of this.#store.segments) {
      if (before++ < PLAIN_SEGMENTS || segment.since > newest || !segment.isCompressible) continue;
      await segment.compress(this.#options.fsync !== 'never');
      if (++done === MAX_COMPRESSIONS || this.#isStopped) return;
    }
  }
}
