import { TokenMeterError } from '../../errors.ts';
import type { RedisAddress } from './redis-address.ts';
import type { RedisClientLike } from './redis-client.ts';
import { type RedisConnection, letGo, makeConnections } from './redis-connections.ts';
import { redisError } from './redis-error.ts';
import { LateError, withinTurns } from './within-turns.ts';

export type RedisSource = { readonly address: RedisAddress } | { readonly client: RedisClientLike };

export interface RedisLinkEvents {
  /** Commands can be sent, and a change before now may have been missed. */
  onReady(): void;
  onLost(error: unknown): void;
  /** Somebody published on the channel. */
  onMessage(message: string): void;
}

/** For one command, or the few round trips of a change, also to another continent. */
const COMMAND_LIMIT_MS = 2000;

/** A push connection that died without a word is found this soon. */
const PING_INTERVAL_MS = 10_000;

/** Two connections to one Redis: for commands, and, with a channel, for what is pushed. */
export class RedisLink {
  readonly #from: RedisSource;
  readonly #background: boolean;
  #commands: RedisConnection | undefined;
  #subscriber: RedisConnection | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #timeouts = 0;
  #generation = 0;

  constructor(from: RedisSource, background: boolean) {
    this.#from = from;
    this.#background = background;
  }

  /** Counts the commands that ran into their time limit. */
  get timeouts(): number {
    return this.#timeouts;
  }

  /** Changes with each connection: a WATCH ends with the one it was sent on. */
  get generation(): number {
    return this.#generation;
  }

  /** Rejects when the first attempt failed; the connections keep trying. */
  async open(channel: string | undefined, events: RedisLinkEvents): Promise<void> {
    this.#isOpen = true;
    const [commands, subscriber] = await makeConnections(this.#from);
    if (this.#background) for (const one of [commands, subscriber]) letGo(one);
    if (!this.#isOpen) return;
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.#follow(commands, subscriber, channel, events);
    if (channel !== undefined) this.#ping();
    await Promise.all([
      commands.connect().catch((error: unknown) => {
        throw redisError(error);
      }),
      channel === undefined ? undefined : subscriber.connect().catch(() => undefined),
    ]);
  }

  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#pingTimer);
    this.#commands?.disconnect();
    this.#subscriber?.disconnect();
    this.#commands = undefined;
    this.#subscriber = undefined;
  }

  /** Rejects with `STORE_UNAVAILABLE`, and where `isWrite` with `STORE_READ_ONLY`. */
  async command<R>(
    run: (redis: RedisConnection) => Promise<R>,
    { isWrite = false }: { readonly isWrite?: boolean } = {},
  ): Promise<R> {
    const redis = this.#commands;
    if (!redis) throw new TokenMeterError('STORE_UNAVAILABLE', 'not connected to Redis');
    try {
      return await withinTurns(run(redis), COMMAND_LIMIT_MS);
    } catch (error) {
      if (error instanceof LateError) {
        this.#timeouts += 1;
        // The connection may be half-open.
        if (redis.status === 'ready') redis.disconnect(true);
      }
      throw redisError(error, isWrite);
    }
  }

  #follow(
    commands: RedisConnection,
    subscriber: RedisConnection,
    channel: string | undefined,
    events: RedisLinkEvents,
  ): void {
    let lastError: unknown;
    const reconnected = (): void => {
      this.#generation += 1;
    };
    // Without a listener an error event would end the process.
    commands.on('error', (error: unknown) => (lastError = error));
    subscriber.on('error', () => undefined);
    for (const event of ['close', '+node', '-node']) commands.on(event, reconnected);
    commands.on('ready', () => events.onReady());
    commands.on('close', () => {
      if (this.#isOpen) events.onLost(redisError(lastError));
    });
    if (channel === undefined) return;
    subscriber.on('message', (_channel: string, message: string) => events.onMessage(message));
    subscriber.on('ready', () => {
      // Read after subscribing: earlier messages were not delivered.
      subscriber.subscribe(channel).then(
        () => events.onReady(),
        () => subscriber.disconnect(true),
      );
    });
  }

  #ping(): void {
    this.#pingTimer = setTimeout(
      () => {
        const subscriber = this.#subscriber;
        if (!subscriber) return;
        this.#ping();
        if (subscriber.status !== 'ready' || subscriber.isCluster) return;
        withinTurns(subscriber.ping(), COMMAND_LIMIT_MS).catch(() => subscriber.disconnect(true));
      },
      PING_INTERVAL_MS * (0.8 + 0.4 * Math.random()),
    );
    this.#pingTimer.unref();
  }
}
