import type { RedisConnection } from './redis-connections.ts';

/** Of the server, ms since 1970. */
export async function timeOf(redis: RedisConnection): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
