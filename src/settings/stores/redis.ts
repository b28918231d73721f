import { setTimeout as sleep } from 'node:timers/promises';
import { TokenMeterError } from '../../errors.ts';
import { type AuditEntry, type StoredSettings, epochOf } from '../stored-settings.ts';
import { pollDelayMs } from './poll-delay.ts';
import { parseRedisUrl } from './redis-address.ts';
import type { RedisClientLike } from './redis-client.ts';
import type { RedisConnection } from './redis-connections.ts';
import { redisError } from './redis-error.ts';
import { hashChange, stateOfHash } from './redis-hash.ts';
import { RedisInstances } from './redis-instances.ts';
import { timeOf } from './redis-time.ts';
import { RedisLink, type RedisSource } from './redis-link.ts';
import type {
  InstanceReport,
  SeenInstance,
  SettingsStore,
  SettingsStoreListener,
  SettingsUpdate,
} from './settings-store.ts';

export type { RedisClientLike };

export interface RedisSettingsStoreOptions {
  /**
   * `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS,
   * `redis+cluster://host:port,host:port`, `redis+sentinel://host:port,host:port/group[/db]`.
   * Either this or `client`.
   */
  readonly url?: string;
  /** An ioredis `Redis` or `Cluster` to copy the connection of. It is neither used nor closed. */
  readonly client?: RedisClientLike;
  /** Begins every key and the channel. @default "otel-token-meter" */
  readonly keyPrefix?: string;
  /** A second document in the same Redis, such as `budgets`: a lower-case word. @default the switches */
  readonly document?: string;
  /** Within what time a change is seen whose push was lost, ms. @default 15000 */
  readonly pollIntervalMs?: number;
  /** Never keeps the process alive, also not while it waits for an answer. @default false */
  readonly background?: boolean;
}

const AUDIT_LIMIT = 10_000;
/** Keys of the first document have these names where a second one has its own. */
const KEY_NAMES: ReadonlySet<string> = new Set(['audit', 'changes', 'instances']);
/** Of one change among many writers: each round one of them gets through. */
const UPDATE_LIMIT_MS = 5_000;

/**
 * Settings of a fleet. A change is announced to every connected instance, which then reads; each also
 * polls, and reads again at every reconnect, because an announcement that is missed is not repeated.
 */
export class RedisSettingsStore implements SettingsStore {
  readonly kind = 'redis';
  readonly address: string;
  readonly #keys: Readonly<Record<'state' | 'audit' | 'channel', string>>;
  readonly #link: RedisLink;
  readonly #instances: RedisInstances;
  readonly #pollIntervalMs: number;
  #listener: SettingsStoreListener | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #updating: Promise<unknown> = Promise.resolve();
  #reading: Promise<void> | undefined;
  #readAgain = false;
  /** The revision seen last: its announcement needs no read. */
  #seen = '';

  /** Throws `INVALID_OPTION` for an address or a prefix that cannot be used. */
  constructor(options: RedisSettingsStoreOptions) {
    const { url, client, keyPrefix = 'otel-token-meter', pollIntervalMs = 15_000 } = options;
    const { document } = options;
    if ((url === undefined) === (client === undefined)) {
      throw invalid('RedisSettingsStore needs either url or client', 'exactly one of the two');
    }
    if (keyPrefix === '' || /[{}\s]/.test(keyPrefix)) {
      throw invalid('keyPrefix must not be empty nor hold braces or spaces', 'such as "my-app"');
    }
    if (document !== undefined && (!/^[a-z]+$/.test(document) || KEY_NAMES.has(document))) {
      throw invalid(`document ${document} is not usable`, 'a lower-case word, such as "budgets"');
    }
    if (!(pollIntervalMs >= 100)) throw invalid('pollIntervalMs is too short', '100 or more');
    const from: RedisSource =
      url === undefined ? { client: client as RedisClientLike } : { address: parseRedisUrl(url) };
    // One hash tag keeps all keys in one slot of a cluster, as a transaction needs them.
    const base = `{${keyPrefix}}:settings${document === undefined ? '' : `:${document}`}`;
    this.#keys = { state: base, audit: `${base}:audit`, channel: `${base}:changes` };
    this.#pollIntervalMs = pollIntervalMs;
    this.#link = new RedisLink(from, options.background ?? false);
    this.#instances = new RedisInstances(this.#link, `${base}:instances`);
    this.address = `${describe(from)} ${base}`;
  }

  async start(listener: SettingsStoreListener): Promise<void> {
    if (this.#listener) {
      throw invalid('this RedisSettingsStore is in use', 'one store for each SettingsService');
    }
    this.#listener = listener;
    this.#poll();
    await this.#link.open(this.#keys.channel, {
      onReady: () => void this.#refresh(),
      onLost: (error) => this.#listener?.onUnavailable(error),
      onMessage: (revision) => {
        if (revision !== this.#seen) void this.#refresh();
      },
    });
    await this.#refresh();
  }

  async read(): Promise<StoredSettings> {
    return (await this.#read()).state;
  }

  /**
   * One at a time: a burst that waits here does not run into the time limit of commands. Once one
   * does, those that wait behind it fail too, instead of waiting for a time limit each.
   */
  update<U extends SettingsUpdate>(decide: (stored: StoredSettings, now: number) => U): Promise<U> {
    const { timeouts } = this.#link;
    const result = this.#updating.then(() => {
      if (timeouts !== this.#link.timeouts) throw redisError(new Error('no answer in time'));
      return this.#update(decide);
    });
    this.#updating = result.catch(() => undefined);
    return result;
  }

  async audit(limit: number): Promise<readonly AuditEntry[]> {
    const rows = await this.#link.command((redis) =>
      redis.xrevrange(this.#keys.audit, '+', '-', 'COUNT', limit),
    );
    return rows.map(([, [, entry = 'null']]) => JSON.parse(entry) as AuditEntry);
  }

  async report(instance: InstanceReport, ttlMs: number): Promise<void> {
    await this.#instances.add(instance, ttlMs);
  }

  async instances(): Promise<readonly SeenInstance[]> {
    return await this.#instances.list();
  }

  async forget(instanceId: string): Promise<void> {
    await this.#instances.remove(instanceId);
  }

  async stop(listener: SettingsStoreListener): Promise<void> {
    if (this.#listener !== listener) return;
    this.#listener = undefined;
    clearTimeout(this.#pollTimer);
    await this.#updating;
    this.#link.close();
  }

  async #read(): Promise<{ readonly state: StoredSettings; readonly now: number }> {
    const [hash, now] = await this.#link.command((redis) =>
      Promise.all([redis.hgetall(this.#keys.state), timeOf(redis)]),
    );
    return { state: stateIn(hash), now };
  }

  async #update<U extends SettingsUpdate>(
    decide: (stored: StoredSettings, now: number) => U,
  ): Promise<U> {
    const giveUpAt = performance.now() + UPDATE_LIMIT_MS;
    for (;;) {
      const made = await this.#link.command((redis) => this.#tryUpdate(redis, decide), {
        isWrite: true,
      });
      if (made !== undefined) return made;
      if (performance.now() > giveUpAt) throw redisError(new Error('too many writers at once'));
      await sleep(Math.random() * 10);
    }
  }

  /** Undefined when somebody else wrote meanwhile. */
  async #tryUpdate<U extends SettingsUpdate>(
    redis: RedisConnection,
    decide: (stored: StoredSettings, now: number) => U,
  ): Promise<U | undefined> {
    const { state: key, audit, channel } = this.#keys;
    const { generation } = this.#link;
    const [, hash, now] = await Promise.all([redis.watch(key), redis.hgetall(key), timeOf(redis)]);
    const stored = stateIn(hash);
    const made = decide(stored, now);
    if (made.entries.length === 0) {
      await redis.unwatch();
      return made;
    }
    // A new connection has no WATCH: start again.
    if (generation !== this.#link.generation) return undefined;
    const { set, remove } = hashChange(hash, stored, made.state);
    const transaction = redis.multi();
    transaction.hset(key, set);
    if (remove.length > 0) transaction.hdel(key, ...remove);
    for (const entry of made.entries) {
      transaction.xadd(audit, 'MAXLEN', '~', AUDIT_LIMIT, '*', 'entry', JSON.stringify(entry));
    }
    this.#seen = revisionOf(made.state);
    transaction.publish(channel, this.#seen);
    const replies = await transaction.exec();
    if (replies === null) return undefined;
    for (const [error] of replies) if (error) throw error;
    return made;
  }

  /** Reads and reports. Callers during a read share one more read that begins after it. */
  #refresh(): Promise<void> {
    if (this.#reading) this.#readAgain = true;
    else {
      this.#reading = this.#readAll().finally(() => {
        this.#reading = undefined;
      });
    }
    return this.#reading!;
  }

  async #readAll(): Promise<void> {
    do {
      this.#readAgain = false;
      try {
        const { state, now } = await this.#read();
        this.#seen = revisionOf(state);
        this.#listener?.onTime(now);
        this.#listener?.onState(state);
        this.#listener?.onAvailable();
      } catch (error) {
        this.#listener?.onUnavailable(error);
      }
    } while (this.#readAgain);
  }

  #poll(): void {
    this.#pollTimer = setTimeout(() => {
      void this.#refresh().then(() => {
        if (this.#listener) this.#poll();
      });
    }, pollDelayMs(this.#pollIntervalMs));
    this.#pollTimer.unref();
  }
}

function revisionOf(state: StoredSettings): string {
  return `${epochOf(state)}.${state.version}`;
}

function stateIn(hash: Readonly<Record<string, string>>): StoredSettings {
  const state = stateOfHash(hash);
  if (!state) {
    const fields = ['version', 'epoch', 'time', 'store'].filter((name) => hash[name] !== undefined);
    throw new TokenMeterError(
      'STORE_UNAVAILABLE',
      `the settings hash has fields that are none of settings; look at ${fields.join(', ')}`,
    );
  }
  return state;
}

function describe(from: RedisSource): string {
  if ('address' in from) {
    const { topology, nodes, db = 0 } = from.address;
    return `${topology} ${nodes.map(({ host, port }) => `${host}:${port}`).join(',')} ${db}`;
  }
  const options = (from.client as { readonly options?: Record<string, unknown> }).options ?? {};
  return JSON.stringify(['host', 'port', 'path', 'name', 'db'].map((key) => options[key]));
}

function invalid(message: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', message, { allowed });
}
