import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { type BoundValues, name } from '../read/influxql.ts';
import { cleanTag, escapeName } from '../write/lines/escaping.ts';

export const LEDGER_TAG = 'ledger';
/** Of the points that are with their calls. A tag that a series does not have reads ''. */
export const IS_WITH_CALLS: string = ` AND ${name(LEDGER_TAG)} = ''`;

/**
 * Where the roll-ups of a ledger are: with its calls, or in a bucket that keeps them longer. That one may hold those of
 * several ledgers, so there they have a tag with the bucket of their calls.
 */
export class RollUpPlace {
  readonly target: ResolvedInfluxOptions;
  readonly #ledger: string | undefined;

  constructor(target: ResolvedInfluxOptions) {
    const { bucket, rollUpBucket } = target;
    this.target = rollUpBucket === undefined ? target : { ...target, bucket: rollUpBucket };
    this.#ledger = rollUpBucket === undefined ? undefined : cleanTag(bucket);
  }

  /** Whether roll-ups may stay when their calls go. */
  get isSeparate(): boolean {
    return this.#ledger !== undefined;
  }

  /** The head of a line. */
  series(measurement: string): string {
    if (this.#ledger === undefined) return measurement;
    return `${measurement},${LEDGER_TAG}=${escapeName(this.#ledger)}`;
  }

  /** ` AND …` for the points of this ledger. */
  condition(bound: BoundValues): string {
    if (this.#ledger === undefined) return '';
    return ` AND ${name(LEDGER_TAG)} = ${bound.bind(this.#ledger)}`;
  }
}
