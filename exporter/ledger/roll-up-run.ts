/** Options of making roll-ups, the same for all stores. */
export interface RollUpOptions {
  /** @default the first call */
  readonly from?: Date;
  /** @default now */
  readonly to?: Date;
  /** Sums up hours again that have a roll-up, and compares. @default false */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RollUpProgress) => void;
}

export interface RollUpProgress {
  /** Hours looked at, and how many there are. */
  readonly done: number;
  readonly hours: number;
  /** Hours that were made, or made again. */
  readonly made: number;
}

export interface RollUpResult {
  /** Hours of days with calls that are closed. */
  readonly hours: number;
  /** Hours that were made, or made again. */
  readonly made: number;
  /** Hours whose sums were not those of their calls. They are among `made`. */
  readonly wrong: number;
  /** Hours that are not closed, or got late calls a moment ago: views read their calls. */
  readonly open: number;
}
