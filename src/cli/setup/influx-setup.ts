/** `planned`: a dry run. `missing`: it could not be done, and the sentence says what is missing. */
export interface SetupStep {
  readonly state: 'done' | 'planned' | 'missing';
  readonly says: string;
}

export interface InfluxSetup {
  readonly url: string;
  readonly bucket: string;
  readonly org?: string | undefined;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** 0: for ever; undefined: as it is. */
  readonly retentionSeconds: number | undefined;
  readonly makeToken: boolean;
  readonly dryRun: boolean;
  readonly add: (step: SetupStep) => void;
}
