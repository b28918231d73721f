import type { Context, Middleware, Next } from 'koa';

export interface RateLimitOptions {
  /** Allowed at once, and again a minute. */
  readonly perMinute: number;
  readonly now?: () => number;
}

/** More keys than this are only seen under attack; the longest unused are forgotten. */
const MAX_KEYS = 10_000;

/** A token bucket for each key. */
export class RateLimit {
  readonly perMinute: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor({ perMinute, now = Date.now }: RateLimitOptions) {
    this.perMinute = perMinute;
    this.#now = now;
  }

  /** Takes one; 0 when it was there, else the seconds until one will be. */
  take(key: string): number {
    const bucket = this.#refilled(key);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_KEYS) break;
      this.#buckets.delete(oldest);
    }
    const wait = this.#wait(bucket);
    if (wait === 0) bucket.tokens -= 1;
    return wait;
  }

  #refilled(key: string): { tokens: number; at: number } {
    const at = this.#now();
    const bucket = this.#buckets.get(key);
    if (!bucket) return { tokens: this.perMinute, at };
    const tokens = bucket.tokens + ((at - bucket.at) / 60_000) * this.perMinute;
    return { tokens: Math.min(this.perMinute, tokens), at };
  }

  #wait({ tokens }: { readonly tokens: number }): number {
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 60) / this.perMinute);
  }
}

/** Counts for all instances together. */
export interface SharedLimit {
  /** Seconds to wait; 0: go on. Never rejects. */
  take(name: string, key: string, perMinute: number): Promise<number>;
}

export interface RateLimitedOptions {
  readonly limit: RateLimit;
  readonly keyOf: (ctx: Context) => string;
  /** Names what is limited, across the fleet. */
  readonly name: string;
  readonly shared?: SharedLimit | undefined;
}

/** Answers 429 with Retry-After when the key of a request has used up its share. */
export function rateLimit({ limit, keyOf, name, shared }: RateLimitedOptions): Middleware {
  return async function rateLimited(ctx: Context, next: Next): Promise<void> {
    const key = keyOf(ctx);
    const wait = limit.take(key) || ((await shared?.take(name, key, limit.perMinute)) ?? 0);
    if (wait > 0) tooMany(ctx, wait);
    await next();
  };
}

export function tooMany(ctx: Context, waitSeconds: number): never {
  return ctx.throw(429, `Too many requests. Try again in ${waitSeconds} s.`, {
    code: 'rate_limited',
    headers: { 'retry-after': String(waitSeconds) },
  });
}
