import { setTimeout as sleep } from 'node:timers/promises';
import { TokenMeterError } from '../../errors.ts';
import { parseRedisUrl } from './redis-address.ts';
import type { RedisClientLike } from './redis-client.ts';
import type { RedisConnection } from './redis-connections.ts';
import { redisError } from './redis-error.ts';
import { RedisLink } from './redis-link.ts';

export interface RedisSharedMapOptions {
  /** As of `RedisSettingsStore`. Either this or `client`. */
  readonly url?: string;
  /** An ioredis `Redis` or `Cluster` to copy the connection of. It is neither used nor closed. */
  readonly client?: RedisClientLike;
  /** Begins the key. @default "otel-token-meter" */
  readonly keyPrefix?: string;
  /** Names the map: its key is `{keyPrefix}:<name>`. */
  readonly name: string;
  /** Never keeps the process alive. @default false */
  readonly background?: boolean;
}

export interface SharedMapChange {
  readonly name: string;
  /** Absent: there was no such entry. */
  readonly before: string | undefined;
  /** Absent: removes the entry. */
  readonly after: string | undefined;
}

/** Of one swap among many writers: each round one of them gets through. */
const SWAP_LIMIT_MS = 5_000;
/** For the connections of a start. */
const OPEN_LIMIT_MS = 2_000;

/**
 * A map of texts in Redis that the instances of a fleet change by compare-and-swap, such as the
 * states of `UsageAlerts`. Transactions only: the permission to run scripts is not needed.
 */
export class RedisSharedMap {
  readonly #key: string;
  readonly #link: RedisLink;
  #opening: Promise<void> | undefined;
  #swapping: Promise<unknown> = Promise.resolve();

  /** Throws `INVALID_OPTION` for an address, a prefix or a name that cannot be used. */
  constructor({
    url,
    client,
    keyPrefix = 'otel-token-meter',
    name,
    background,
  }: RedisSharedMapOptions) {
    if ((url === undefined) === (client === undefined)) {
      throw invalid('RedisSharedMap needs either url or client', 'exactly one of the two');
    }
    if (keyPrefix === '' || /[{}\s]/.test(keyPrefix)) {
      throw invalid('keyPrefix must not be empty nor hold braces or spaces', 'such as "my-app"');
    }
    if (!/^[\w-]+$/.test(name)) throw invalid('name must be a word', 'such as "alerts"');
    const from = url === undefined ? { client: client! } : { address: parseRedisUrl(url) };
    this.#key = `{${keyPrefix}}:${name}`;
    this.#link = new RedisLink(from, background ?? false);
  }

  /** Rejects with `STORE_UNAVAILABLE`. */
  async read(): Promise<ReadonlyMap<string, string>> {
    await this.#open();
    const hash = await this.#link.command((redis) => redis.hgetall(this.#key));
    return new Map(Object.entries(hash));
  }

  /**
   * Makes each change whose entry is as it was `before`, and returns their names. Rejects with
   * `STORE_UNAVAILABLE` or `STORE_READ_ONLY`; after the former the changes may have been made.
   */
  swap(changes: readonly SharedMapChange[]): Promise<ReadonlySet<string>> {
    const result = this.#swapping.then(async () => {
      await this.#open();
      return await this.#swap(changes);
    });
    this.#swapping = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#swapping;
    this.#link.close();
  }

  /** Connects once; later the connection comes back by itself. */
  async #open(): Promise<void> {
    const ignore = (): void => undefined;
    this.#opening ??= this.#link
      .open(undefined, { onReady: ignore, onLost: ignore, onMessage: ignore })
      .catch(ignore);
    await Promise.race([this.#opening, sleep(OPEN_LIMIT_MS, undefined, { ref: false })]);
  }

  async #swap(changes: readonly SharedMapChange[]): Promise<ReadonlySet<string>> {
    if (changes.length === 0) return new Set();
    const giveUpAt = performance.now() + SWAP_LIMIT_MS;
    for (;;) {
      const made = await this.#link.command((redis) => this.#trySwap(redis, changes), {
        isWrite: true,
      });
      if (made !== undefined) return made;
      if (performance.now() > giveUpAt) throw redisError(new Error('too many writers at once'));
      await sleep(Math.random() * 10);
    }
  }

  /** Undefined if the map changed meanwhile. */
  async #trySwap(
    redis: RedisConnection,
    changes: readonly SharedMapChange[],
  ): Promise<ReadonlySet<string> | undefined> {
    const { generation } = this.#link;
    const names = changes.map(({ name }) => name);
    const [, stored] = await Promise.all([
      redis.watch(this.#key),
      redis.hmget(this.#key, ...names),
    ]);
    const fitting = changes.filter(({ before }, index) => (stored[index] ?? undefined) === before);
    // On another connection nothing is watched: start again.
    if (generation !== this.#link.generation) return undefined;
    if (fitting.length === 0) {
      await redis.unwatch();
      return new Set();
    }
    const transaction = redis.multi();
    for (const { name, after } of fitting) {
      if (after === undefined) transaction.hdel(this.#key, name);
      else transaction.hset(this.#key, name, after);
    }
    const replies = await transaction.exec();
    if (replies === null) return undefined;
    for (const [error] of replies) if (error) throw error;
    return new Set(fitting.map(({ name }) => name));
  }
}

function invalid(message: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', message, { allowed });
}
