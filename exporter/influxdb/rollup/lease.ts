import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoundValues, name, timeRange } from '../read/influxql.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { LEASE_MEASUREMENT } from './roll-up-schema.ts';
import type { RollUpWriter } from './roll-up-writer.ts';

const LEASE_MS = 900_000;
/** Older claims are not looked for. */
const MAX_AGE_MS = 86_400_000;
/** Longer than it takes a claim to be read by others. */
const CLAIM_MS = 2000;

interface Claim {
  readonly timeMs: number;
  readonly owner: string;
  readonly untilMs: number;
}

export interface RollUpLeaseOptions {
  readonly claimMs?: number;
  /** Who asks. @default somebody else each time */
  readonly owner?: string;
}

/**
 * Which process makes roll-ups: the one with the oldest claim that has not ended. InfluxDB changes nothing
 * conditionally, so two processes may hold it for a moment; that costs work twice and changes no sum.
 */
export class RollUpLease {
  readonly #owner: string;
  readonly #clients: LedgerClients;
  readonly #writer: RollUpWriter;
  readonly #now: () => number;
  readonly #claimMs: number;
  /** Two claims of one millisecond are two points. */
  readonly #place = BigInt(randomInt(1_000_000));
  #since: number | undefined;

  constructor(
    clients: LedgerClients,
    writer: RollUpWriter,
    now: () => number,
    { claimMs = CLAIM_MS, owner = randomUUID() }: RollUpLeaseOptions = {},
  ) {
    this.#owner = owner;
    this.#clients = clients;
    this.#writer = writer;
    this.#now = now;
    this.#claimMs = claimMs;
  }

  /** Takes or extends the lease; false while another process has it. */
  async hold(): Promise<boolean> {
    const before = await this.#holder();
    if (before !== undefined && before.owner !== this.#owner) {
      this.#since = undefined;
      return false;
    }
    const isOld = this.#since !== undefined && this.#now() - this.#since > MAX_AGE_MS / 2;
    if (this.#since === undefined || isOld) this.#since = this.#now();
    await this.#write(this.#now() + LEASE_MS);
    if (before !== undefined) return true;
    await sleep(this.#claimMs, undefined, { ref: false });
    return (await this.#holder())?.owner === this.#owner;
  }

  /** Lets another process have it. */
  async release(): Promise<void> {
    if (this.#since === undefined) return;
    await this.#write(this.#now());
    this.#since = undefined;
  }

  /** A claim keeps its time while it is extended, and so its place among the others. */
  async #write(untilMs: number): Promise<void> {
    const time = BigInt(this.#since ?? this.#now()) * 1_000_000n + this.#place;
    const series = this.#clients.place.series(LEASE_MEASUREMENT);
    const line = `${series} owner="${this.#owner}",until=${untilMs}i ${time}\n`;
    await this.#writer.write([line]);
  }

  async #holder(): Promise<Claim | undefined> {
    const now = this.#now();
    const { rollUps, place } = this.#clients;
    const bound = new BoundValues();
    const where = timeRange(now - MAX_AGE_MS, now + LEASE_MS) + place.condition(bound);
    const q = `SELECT until, owner FROM ${name(LEASE_MEASUREMENT)} WHERE ${where}`;
    const claims: Claim[] = [];
    for await (const { values } of rollUps.query(q, { bound, epoch: 'ms' })) {
      for (const [time, until, owner] of values) {
        const claim = { timeMs: Number(time), owner: String(owner), untilMs: Number(until) };
        if (claim.untilMs > now) claims.push(claim);
      }
    }
    return claims.toSorted((a, b) => a.timeMs - b.timeMs || (a.owner < b.owner ? -1 : 1))[0];
  }
}
