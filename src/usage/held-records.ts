import type { EndedCall } from '../domain/ended-call.ts';
import type { Switches } from '../domain/switches.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { warnOnce } from '../host/quietly.ts';
import type { Delivery, Destinations } from './delivery.ts';

/** At some kilobytes each a few dozen megabytes; enough for minutes of a busy process. */
const HELD_MAX = 5_000;

export interface HeldRecord {
  readonly record: UsageRecord;
  readonly ended: EndedCall;
  /** As they were when the call ended. Claimed when it is emitted: a record that is dropped takes none. */
  readonly destinations: Destinations;
  readonly delivery: Delivery;
}

/** What the switches turned out to be for a record. */
export type HoldDecision = (record: UsageRecord) => Switches;

export interface HeldStatus {
  readonly held: number;
  /** Records that were dropped because nobody knew whether they were to be emitted, or because they were not. */
  readonly dropped: number;
}

interface HeldRecordsOptions {
  readonly emit: (held: HeldRecord, switches: Switches) => void;
  readonly drop: (held: HeldRecord) => void;
  readonly nowMs?: () => number;
}

/**
 * Records of calls that were made while nobody knew whether calls are to be recorded. They wait, up to
 * a bound, and are emitted or dropped as soon as that is decided.
 */
export class HeldRecords {
  readonly #options: HeldRecordsOptions;
  readonly #nowMs: () => number;
  readonly #held = new Set<HeldRecord>();
  #heldSinceMs: number | undefined;
  #decidedAtMs: number | undefined;
  #decision: HoldDecision | undefined;
  #dropped = 0;

  constructor(options: HeldRecordsOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  get isHolding(): boolean {
    return this.#heldSinceMs !== undefined && this.#decision === undefined;
  }

  get status(): HeldStatus {
    return { held: this.#held.size, dropped: this.#dropped };
  }

  hold(): void {
    if (this.isHolding) return;
    this.#heldSinceMs = this.#nowMs();
    this.#decision = undefined;
  }

  decide(decision: HoldDecision): void {
    if (!this.isHolding) return;
    this.#decision = decision;
    this.#decidedAtMs = this.#nowMs();
    const held = [...this.#held];
    this.#held.clear();
    for (const one of held) this.take(one);
  }

  /** To be asked when a call ends: whether it started while nothing was decided. */
  concerns({ startedAtMs, durationMs }: EndedCall): boolean {
    if (this.#heldSinceMs === undefined) return false;
    if (this.#decidedAtMs === undefined || this.isHolding) return true;
    // One that ended before the decision and comes now was reported late, under switches known by then.
    return startedAtMs <= this.#decidedAtMs && startedAtMs + durationMs >= this.#decidedAtMs;
  }

  take(held: HeldRecord): void {
    if (this.#decision === undefined) {
      if (this.#held.size >= HELD_MAX) {
        const [oldest] = this.#held;
        this.#held.delete(oldest as HeldRecord);
        this.#drop(oldest as HeldRecord);
      }
      this.#held.add(held);
      return;
    }
    const switches = this.#decision(held.record);
    if (switches.enabled) this.#options.emit(held, switches);
    else this.#drop(held);
  }

  #drop(held: HeldRecord): void {
    this.#dropped += 1;
    warnOnce(
      'settings_unknown',
      'records are dropped (settings_unknown): the settings store did not say in time that calls are to be recorded',
    );
    this.#options.drop(held);
  }
}
