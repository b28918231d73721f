import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface FleetOptions {
  readonly url: string;
  readonly keyPrefix: string;
  /** Called when the fleet's view is lost; each instance then limits by itself. */
  readonly onLost: (reason: string) => void;
}

/** Maximum delay of a request by a shared limit. */
const COMMAND_TIMEOUT_MS = 300;

/**
 * State about callers that the instances of an application share: request counts and signed-out sessions.
 * Without Redis nothing is limited or revoked here; limits and sessions of the
 * instance itself still hold.
 */
export class Fleet {
  readonly #redis: Redis;
  readonly #keyPrefix: string;
  readonly #limiters = new Map<string, RateLimiterRedis>();

  constructor({ url, keyPrefix, onLost }: FleetOptions) {
    this.#keyPrefix = `{${keyPrefix}}:app`;
    this.#redis = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: 2000,
      retryStrategy: (times) => Math.min(5000, 100 * 2 ** times) * (0.5 + Math.random() / 2),
    });
    let isLost = false;
    this.#redis.on('error', (error: Error) => {
      if (!isLost) onLost(error.message);
      isLost = true;
    });
    this.#redis.on('ready', () => (isLost = false));
    this.#redis.connect().catch(() => undefined);
  }

  /** Seconds to wait; 0: go on. */
  async take(name: string, key: string, perMinute: number): Promise<number> {
    const id = `${name} ${perMinute}`;
    let limiter = this.#limiters.get(id);
    if (!limiter) {
      const keyPrefix = `${this.#keyPrefix}:limit:${name}`;
      const options = { storeClient: this.#redis, points: perMinute, duration: 60, keyPrefix };
      this.#limiters.set(id, (limiter = new RateLimiterRedis(options)));
    }
    try {
      await limiter.consume(key);
      return 0;
    } catch (result) {
      return result instanceof RateLimiterRes ? Math.ceil(result.msBeforeNext / 1000) : 0;
    }
  }

  async revoke(sessionId: string, expiresAt: Date): Promise<void> {
    const ms = Math.max(1, expiresAt.getTime() - Date.now());
    await this.#redis.set(this.#revokedKey(sessionId), '1', 'PX', ms).catch(() => undefined);
  }

  async isRevoked(sessionId: string): Promise<boolean> {
    const found = await this.#redis.exists(this.#revokedKey(sessionId)).catch(() => 0);
    return found > 0;
  }

  close(): void {
    this.#redis.disconnect();
  }

  #revokedKey(sessionId: string): string {
    return `${this.#keyPrefix}:signed-out:${sessionId}`;
  }
}
