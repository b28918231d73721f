import type { Redis } from 'ioredis';

/** Unix milliseconds by the clock of Redis, which budgets go by, also where that of the tests is shifted. */
export async function redisTimeMs(client: Redis): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
