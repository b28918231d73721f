import type { RedisLink } from './redis-link.ts';
import { timeOf } from './redis-time.ts';
import type { InstanceReport, SeenInstance } from './settings-store.ts';

/** The key goes when nobody has reported for so long. */
const KEY_TTL_MS = 120_000;

/** Reports of instances: a hash of `<seen at> <until> <report>`, by the clock of the server alone. */
export class RedisInstances {
  readonly #link: RedisLink;
  readonly #key: string;

  constructor(link: RedisLink, key: string) {
    this.#link = link;
    this.#key = key;
  }

  async add(instance: InstanceReport, ttlMs: number): Promise<void> {
    await this.#link.command(
      async (redis) => {
        const now = await timeOf(redis);
        const text = `${now} ${now + ttlMs} ${JSON.stringify(instance)}`;
        await redis.hset(this.#key, instance.id, text);
        await redis.pexpire(this.#key, Math.max(KEY_TTL_MS, 2 * ttlMs));
      },
      { isWrite: true },
    );
  }

  async list(): Promise<SeenInstance[]> {
    return await this.#link.command(async (redis) => {
      const [now, reports] = await Promise.all([timeOf(redis), redis.hgetall(this.#key)]);
      const found: SeenInstance[] = [];
      const expired: string[] = [];
      for (const [id, text] of Object.entries(reports)) {
        const [, seenAt, until, report = ''] = /^(\d+) (\d+) (.*)$/s.exec(text) ?? [];
        if (until === undefined || Number(until) <= now) expired.push(id);
        else {
          const lastSeenAt = new Date(Number(seenAt)).toISOString();
          found.push({ ...(JSON.parse(report) as InstanceReport), lastSeenAt });
        }
      }
      // A viewer without the right to write sees the list all the same.
      if (expired.length > 0) await redis.hdel(this.#key, ...expired).catch(() => undefined);
      return found;
    });
  }

  async remove(id: string): Promise<void> {
    await this.#link.command((redis) => redis.hdel(this.#key, id), { isWrite: true });
  }
}
