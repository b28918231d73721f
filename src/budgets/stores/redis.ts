import { createHash } from 'node:crypto';
import { TokenMeterError } from '../../errors.ts';
import { parseRedisUrl } from '../../settings/stores/redis-address.ts';
import type { RedisClientLike } from '../../settings/stores/redis-client.ts';
import type { RedisConnection } from '../../settings/stores/redis-connections.ts';
import { redisError } from '../../settings/stores/redis-error.ts';
import { RedisLink, type RedisSource } from '../../settings/stores/redis-link.ts';
import type {
  AccountName,
  AccountReport,
  AccountState,
  Announcement,
  BudgetStore,
  BudgetStoreListener,
  Fullness,
  ListedAccount,
  SyncAnswer,
} from './budget-store.ts';
import { SYNC_SCRIPT } from './redis-sync-script.ts';

export interface RedisBudgetStoreOptions {
  /** As of `RedisSettingsStore`. Either this or `client`. */
  readonly url?: string;
  /** An ioredis `Redis` or `Cluster` to copy the connection of. It is neither used nor closed. */
  readonly client?: RedisClientLike;
  /** Begins every key and the channel. @default "otel-token-meter" */
  readonly keyPrefix?: string;
}

const SCRIPT_SHA = createHash('sha1').update(SYNC_SCRIPT).digest('hex');
/** An instance that was not heard of for so long is not one of the fleet. */
const PRESENT_MS = 15_000;
const KEY_LENGTH_MAX = 200;

/** What the sync script returns. */
type ScriptReply = readonly [
  held: string,
  instances: number,
  totals: readonly string[],
  reached: readonly string[],
  reservedElsewhere: string,
];

/**
 * Budgets of a fleet in Redis. Every report is one run of a script, so it is made as a whole, and by Redis' own clock.
 * All keys are in one slot of a cluster.
 */
export class RedisBudgetStore implements BudgetStore {
  readonly kind = 'redis';
  readonly #base: string;
  readonly #link: RedisLink;

  /** Throws `INVALID_OPTION` for an address or a prefix that cannot be used. */
  constructor({ url, client, keyPrefix = 'otel-token-meter' }: RedisBudgetStoreOptions) {
    if ((url === undefined) === (client === undefined)) {
      throw invalid('RedisBudgetStore needs either url or client', 'exactly one of the two');
    }
    if (keyPrefix === '' || /[{}\s]/.test(keyPrefix)) {
      throw invalid('keyPrefix must not be empty nor hold braces or spaces', 'such as "my-app"');
    }
    const from: RedisSource =
      url === undefined ? { client: client as RedisClientLike } : { address: parseRedisUrl(url) };
    this.#base = `{${keyPrefix}}:budgets`;
    // What is spent must not keep a process alive.
    this.#link = new RedisLink(from, true);
  }

  start(listener: BudgetStoreListener): void {
    this.#link
      .open(`${this.#base}:changes`, {
        onReady: () => listener.onReady(),
        onLost: () => listener.onLost(),
        onMessage: (message) => {
          const announcement = announcementIn(message);
          if (announcement !== undefined) listener.onAnnounced(announcement);
        },
      })
      .catch(() => listener.onLost());
  }

  async sync(
    instance: string,
    leaseMs: number,
    reports: readonly AccountReport[],
  ): Promise<SyncAnswer> {
    return await this.#link.command((redis) => this.#sync(redis, instance, leaseMs, reports), {
      isWrite: true,
    });
  }

  async list(
    { budgetId, identity }: Pick<AccountName, 'budgetId' | 'identity'>,
    indexMs: number,
    { from = 0, limit }: { readonly from?: number; readonly limit: number },
  ): Promise<readonly ListedAccount[]> {
    const key = this.#indexKey(budgetId, identity, indexMs);
    const found = await this.#link.command((redis) =>
      redis.zrevrangebyscore(key, '+inf', from, 'WITHSCORES', 'LIMIT', 0, limit),
    );
    const listed: ListedAccount[] = [];
    for (let at = 0; at < found.length; at += 2) {
      const values = JSON.parse(found[at] ?? '[]') as (string | null)[];
      listed.push({ values, spent: Number(found[at + 1]) });
    }
    return listed;
  }

  async stop(instance: string): Promise<void> {
    await this.#link
      .command((redis) => redis.zrem(`${this.#base}:instances`, instance))
      .catch(() => undefined);
    this.#link.close();
  }

  async #sync(
    redis: RedisConnection,
    instance: string,
    leaseMs: number,
    reports: readonly AccountReport[],
  ): Promise<SyncAnswer> {
    const runs = reports.map((report) => this.#runOf(report, instance, leaseMs));
    const batch = redis.pipeline();
    batch.time();
    for (const run of runs) batch.evalsha(SCRIPT_SHA, 2, ...run);
    const [first, ...rest] = (await batch.exec()) ?? [];
    if (first === undefined || first[0] !== null) throw first?.[0] ?? new Error('no answer');
    const [seconds, micros] = first[1] as [string, string];
    const nowMs = Number(seconds) * 1000 + Number(micros) / 1000;
    const states: AccountState[] = [];
    for (const [index, run] of runs.entries()) {
      const [error, reply] = rest[index] ?? [new Error('no answer'), undefined];
      if (error === null) states.push(stateOf(reply as ScriptReply));
      // A Redis that was restarted has no scripts.
      else if (error.message.startsWith('NOSCRIPT')) {
        states.push(stateOf((await redis.eval(SYNC_SCRIPT, 2, ...run)) as ScriptReply));
      } else throw redisError(error, true);
    }
    return { nowMs, ...(await this.#presence(redis, instance, nowMs)), states };
  }

  async #presence(
    redis: RedisConnection,
    instance: string,
    nowMs: number,
  ): Promise<Pick<SyncAnswer, 'fleet' | 'isNew'>> {
    const key = `${this.#base}:instances`;
    const replies = await redis
      .multi()
      .zadd(key, Math.round(nowMs), instance)
      .zremrangebyscore(key, '-inf', Math.round(nowMs - PRESENT_MS))
      .zcard(key)
      .exec();
    const [added, , count] = (replies ?? []).map(([, reply]) => Number(reply));
    if (added === 1) await redis.publish(`${this.#base}:changes`, 'joined');
    return { fleet: count ?? 1, isNew: added === 1 };
  }

  #runOf(report: AccountReport, instance: string, leaseMs: number): (string | number)[] {
    const { budgetId, identity, key, values } = report;
    const shortKey = key.length > KEY_LENGTH_MAX ? digest(key) : key;
    return [
      `${this.#base}:account:${budgetId}:${digest(identity)}:${shortKey}`,
      this.#indexKey(budgetId, identity, report.indexMs),
      `${instance}.${report.serial}`,
      `${this.#base}:changes`,
      JSON.stringify([budgetId, identity, key]),
      JSON.stringify(values),
      leaseMs,
      report.limit,
      report.oldestMs,
      report.bucketEndsMs,
      report.endsAtMs,
      report.reserved,
      report.keep,
      report.want,
      report.least,
      report.buckets.length,
      // The script takes the last one for the current one.
      ...report.buckets
        .toSorted((one, other) => one.fromMs - other.fromMs)
        .flatMap(({ fromMs, own, acknowledged, total }) => [fromMs, own, acknowledged, total]),
      ...report.shares,
    ];
  }

  #indexKey(budgetId: string, identity: string, indexMs: number): string {
    return `${this.#base}:accounts:${budgetId}:${digest(identity)}:${indexMs}`;
  }
}

function stateOf([held, instances, totals, reached, reservedElsewhere]: ScriptReply): AccountState {
  const byBucket = new Map<number, number>();
  for (let at = 0; at < totals.length; at += 2) {
    byBucket.set(Number(totals[at]), Number(totals[at + 1]));
  }
  return {
    held: Number(held),
    instances,
    totals: byBucket,
    reached: reached.map(Number),
    reservedElsewhere: Number(reservedElsewhere),
  };
}

/** Somebody else may publish there, too. */
function announcementIn(message: string): Announcement | undefined {
  if (message === 'joined') return { kind: 'joined' };
  const [, kind, fullness, limit, untilMs, json] =
    /^(wanted|fullness)(?: (low|half|full) (\d+) (\d+))? (\[.*\])$/s.exec(message) ?? [];
  if (json === undefined) return undefined;
  const [budgetId = '', identity = '', key = ''] = JSON.parse(json) as string[];
  const name = { budgetId, identity, key };
  if (kind === 'wanted') return { kind, ...name };
  return {
    kind: 'fullness',
    ...name,
    fullness: fullness as Fullness,
    limit: Number(limit),
    untilMs: Number(untilMs),
  };
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 16);
}

function invalid(message: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', message, { allowed });
}
