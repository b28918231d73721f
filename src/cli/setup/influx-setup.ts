import type { InfluxDB } from '@influxdata/influxdb-client';

/** `planned`: a dry run. `missing`: it could not be done, and the sentence says what is missing. */
export interface SetupStep {
  readonly state: 'done' | 'planned' | 'missing';
  readonly says: string;
}

/** A bucket (2.x) or database (3.x), `database` or `database/policy` (1.x). */
export interface BucketSetup {
  readonly bucket: string;
  /** 0: for ever; undefined: as it is. */
  readonly retentionSeconds: number | undefined;
}

export interface InfluxSetup {
  /** Authenticated by `token`. */
  readonly client: InfluxDB;
  /** Without credentials. */
  readonly url: string;
  /** That of the calls, and that of the roll-ups where it is another one. */
  readonly buckets: readonly BucketSetup[];
  readonly org?: string | undefined;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /**
   * `new`: a token of the buckets alone. `once`: unless the server takes `madeBefore`; where it makes no tokens of
   * one bucket, `token` is good enough.
   */
  readonly makeToken?: 'new' | 'once' | undefined;
  readonly madeBefore?: string | undefined;
  readonly dryRun: boolean;
  readonly add: (step: SetupStep) => void;
}
