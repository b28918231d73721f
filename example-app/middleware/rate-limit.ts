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
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor({ perMinute, now = Date.now }: RateLimitOptions) {
    this.#perMinute = perMinute;
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

  /** Like `take`, without taking. */
  peek(key: string): number {
    return this.#wait(this.#refilled(key));
  }

  #refilled(key: string): { tokens: number; at: number } {
    const at = this.#now();
    const bucket = this.#buckets.get(key);
    if (!bucket) return { tokens: this.#perMinute, at };
    const tokens = bucket.tokens + ((at - bucket.at) / 60_000) * this.#perMinute;
    return { tokens: Math.min(this.#perMinute, tokens), at };
  }

  #wait({ tokens }: { readonly tokens: number }): number {
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 60) / this.#perMinute);
  }
}

/** Answers 429 with Retry-After when the key of a request has used up its share. */
export function rateLimit(limit: RateLimit, keyOf: (ctx: Context) => string): Middleware {
  return async function rateLimited(ctx: Context, next: Next): Promise<void> {
    const wait = limit.take(keyOf(ctx));
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
