import { TokenMeterError } from '../../errors.ts';
import type {
  AuditEntry,
  SettingsWrite,
  SettingsWriteResult,
  StoredSettings,
} from '../stored-settings.ts';
import { parseStoredSettings } from '../stored-settings-json.ts';
import { pollDelayMs } from './poll-delay.ts';
import { type RedisAddress, parseRedisUrl } from './redis-address.ts';
import type { RedisClientLike } from './redis-client.ts';
import { type RedisConnection, letGo, makeConnections } from './redis-connections.ts';
import {
  INSTANCES_SCRIPT,
  REPORT_SCRIPT,
  WRITE_SCRIPT,
  stateOfHash,
  writeArguments,
} from './redis-scripts.ts';
import type {
  InstanceReport,
  SeenInstance,
  SettingsStore,
  SettingsStoreListener,
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
  /** Within what time a change is seen whose push was lost, ms. @default 15000 */
  readonly pollIntervalMs?: number;
  /** Never keeps the process alive, also not while it waits for an answer. @default false */
  readonly background?: boolean;
}

const AUDIT_LIMIT = 10_000;
/** A push connection that died without a word is found this soon. */
const PING_INTERVAL_MS = 10_000;

/**
 * Settings of a fleet. A change is pushed to every connected instance; each also polls, and reads
 * again at every reconnect, because a push that is missed is not repeated.
 */
export class RedisSettingsStore implements SettingsStore {
  readonly kind = 'redis';
  readonly address: string;
  readonly #from: { readonly address: RedisAddress } | { readonly client: RedisClientLike };
  readonly #keys: Readonly<Record<'state' | 'audit' | 'instances' | 'channel', string>>;
  readonly #pollIntervalMs: number;
  readonly #background: boolean;
  #listener: SettingsStoreListener | undefined;
  #commands: RedisConnection | undefined;
  #subscriber: RedisConnection | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  /** Counts the commands that ran into their time limit. */
  #timeouts = 0;
  #reading: Promise<void> | undefined;
  #readAgain = false;

  /** Throws `INVALID_OPTION` for an address or a prefix that cannot be used. */
  constructor(options: RedisSettingsStoreOptions) {
    const { url, client, keyPrefix = 'otel-token-meter', pollIntervalMs = 15_000 } = options;
    if ((url === undefined) === (client === undefined)) {
      throw invalid('RedisSettingsStore needs either url or client', 'exactly one of the two');
    }
    if (keyPrefix === '' || /[{}\s]/.test(keyPrefix)) {
      throw invalid('keyPrefix must not be empty nor hold braces or spaces', 'such as "my-app"');
    }
    if (!(pollIntervalMs >= 100)) throw invalid('pollIntervalMs is too short', '100 or more');
    this.#from = url === undefined ? { client: client! } : { address: parseRedisUrl(url) };
    // One hash tag keeps all keys in one slot of a cluster, as a script needs them.
    const base = `{${keyPrefix}}:settings`;
    this.#keys = {
      state: base,
      audit: `${base}:audit`,
      instances: `${base}:instances`,
      channel: `${base}:changes`,
    };
    this.#pollIntervalMs = pollIntervalMs;
    this.#background = options.background ?? false;
    this.address = `${describe(this.#from)} ${base}`;
  }

  async start(listener: SettingsStoreListener): Promise<void> {
    if (this.#listener) {
      throw invalid('this RedisSettingsStore is in use', 'one store for each SettingsService');
    }
    this.#listener = listener;
    const [commands, subscriber] = await makeConnections(this.#from);
    if (this.#background) for (const one of [commands, subscriber]) letGo(one);
    if (this.#listener !== listener) return;
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.#follow(commands, subscriber);
    this.#poll();
    this.#ping();
    await Promise.all([
      asStore(commands.connect().then(() => this.#refresh())),
      subscriber.connect().catch(() => undefined),
    ]);
  }

  async read(): Promise<StoredSettings> {
    const hash = await this.#command((redis) => redis.hgetall(this.#keys.state));
    const state = stateOfHash(hash);
    if (!state) throw new TokenMeterError('STORE_UNAVAILABLE', 'Redis holds no settings there');
    return state;
  }

  /**
   * One at a time: a burst that waits here does not run into the time limit of commands. Once one
   * does, those that wait behind it fail too, instead of waiting for a time limit each.
   */
  write(write: SettingsWrite): Promise<SettingsWriteResult> {
    const timeouts = this.#timeouts;
    const result = this.#writing.then(() => {
      if (timeouts !== this.#timeouts) throw unavailable(new Error('no answer in time'));
      return this.#write(write);
    });
    this.#writing = result.catch(() => undefined);
    return result;
  }

  async audit(limit: number): Promise<readonly AuditEntry[]> {
    const rows = await this.#command((redis) =>
      redis.xrevrange(this.#keys.audit, '+', '-', 'COUNT', limit),
    );
    return rows.map(([, [, entry = 'null']]) => JSON.parse(entry) as AuditEntry);
  }

  async report(instance: InstanceReport, ttlMs: number): Promise<void> {
    const { id } = instance;
    const report = JSON.stringify(instance);
    await this.#command((redis) =>
      redis.eval(REPORT_SCRIPT, 1, this.#keys.instances, id, ttlMs, report),
    );
  }

  async instances(): Promise<readonly SeenInstance[]> {
    const found = (await this.#command((redis) =>
      redis.eval(INSTANCES_SCRIPT, 1, this.#keys.instances),
    )) as string[];
    const instances: SeenInstance[] = [];
    for (let i = 0; i + 1 < found.length; i += 2) {
      const lastSeenAt = new Date(Number(found[i])).toISOString();
      instances.push({ ...(JSON.parse(found[i + 1]!) as InstanceReport), lastSeenAt });
    }
    return instances;
  }

  async forget(instanceId: string): Promise<void> {
    await this.#command((redis) => redis.hdel(this.#keys.instances, instanceId));
  }

  async stop(listener: SettingsStoreListener): Promise<void> {
    if (this.#listener !== listener) return;
    this.#listener = undefined;
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#pingTimer);
    await this.#writing;
    this.#commands?.disconnect();
    this.#subscriber?.disconnect();
    this.#commands = undefined;
    this.#subscriber = undefined;
  }

  #follow(commands: RedisConnection, subscriber: RedisConnection): void {
    let lastError: unknown;
    // Without a listener an error event would end the process.
    commands.on('error', (error: unknown) => (lastError = error));
    subscriber.on('error', () => undefined);
    commands.on('ready', () => void this.#refresh());
    commands.on('close', () => this.#listener?.onUnavailable(unavailable(lastError)));
    subscriber.on('message', (_channel: string, message: string) => {
      const state = parseStoredSettings(message);
      if (state) this.#listener?.onState(state);
    });
    subscriber.on('ready', () => {
      // Read after subscribing: what came in between was pushed to nobody.
      subscriber.subscribe(this.#keys.channel).then(
        () => this.#refresh(),
        () => subscriber.disconnect(true),
      );
    });
  }

  async #write(write: SettingsWrite): Promise<SettingsWriteResult> {
    const { state, audit, channel } = this.#keys;
    const [outcome, text] = (await this.#command((redis) =>
      redis.eval(WRITE_SCRIPT, 2, state, audit, ...writeArguments(channel, AUDIT_LIMIT, write)),
    )) as [SettingsWriteResult['outcome'], string];
    const stored = parseStoredSettings(text);
    if (!stored) throw new TokenMeterError('STORE_UNAVAILABLE', 'Redis gave no settings back');
    return { outcome, state: stored };
  }

  async #command<R>(run: (redis: RedisConnection) => Promise<R>): Promise<R> {
    const redis = this.#commands;
    if (!redis) throw new TokenMeterError('STORE_UNAVAILABLE', 'not connected to Redis');
    try {
      return await run(redis);
    } catch (error) {
      if ((error as Error).message === 'Command timed out') {
        this.#timeouts += 1;
        // The connection may be dead without knowing it.
        if (redis.status === 'ready') redis.disconnect(true);
      }
      throw unavailable(error);
    }
  }

  /** Reads and tells. Callers during a read share one more read that begins after it. */
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
        const state = await this.read();
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

  #ping(): void {
    this.#pingTimer = setTimeout(
      () => {
        const subscriber = this.#subscriber;
        if (!this.#listener || !subscriber) return;
        this.#ping();
        if (subscriber.status !== 'ready' || subscriber.isCluster) return;
        subscriber.ping().catch(() => subscriber.disconnect(true));
      },
      PING_INTERVAL_MS * (0.8 + 0.4 * Math.random()),
    );
    this.#pingTimer.unref();
  }
}

function describe(
  from: { readonly address: RedisAddress } | { readonly client: RedisClientLike },
): string {
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

/** Without the original error: ioredis attaches the command to it, for AUTH with the password. */
function unavailable(error: unknown): TokenMeterError {
  if (error instanceof TokenMeterError) return error;
  const reason = error instanceof Error ? `: ${error.message.slice(0, 200)}` : '';
  return new TokenMeterError('STORE_UNAVAILABLE', `Redis cannot be used${reason}`);
}

async function asStore(job: Promise<void>): Promise<void> {
  try {
    await job;
  } catch (error) {
    throw unavailable(error);
  }
}
