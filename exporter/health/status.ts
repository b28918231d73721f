/** `retrying`: the last send failed and will be tried again. `failing`: it needs a person. */
export type ExporterState = 'ok' | 'retrying' | 'failing' | 'closed';

export interface ExporterError {
  /** RFC 3339. */
  readonly time: string;
  /** A `TokenMeterError` code, or the code or HTTP status that the backend answered with. */
  readonly code: string;
  /** Never holds a secret or the content of a message. */
  readonly message: string;
}

/**
 * Counts since the exporter was made, in records (lines, for metrics).
 * `accepted + volatile + adopted = delivered + pending + handedOver + dropped after acceptance`.
 */
export interface ExporterStatus {
  readonly state: ExporterState;
  /** Appended to the spool: these survive a crash of the process. */
  readonly accepted: number;
  readonly delivered: number;
  /** By reason; only reasons that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Sends that had to be repeated. */
  readonly retries: number;
  /** Bytes waiting, on disk or (without a spool) in memory. */
  readonly spoolBytes: number;
  /** Age of the oldest record that waits. */
  readonly oldestAgeMs?: number;
  readonly lastError?: ExporterError;
  /** RFC 3339. */
  readonly lastSuccess?: string;
  /** Neither delivered nor dropped yet, `volatile` included. */
  readonly pending?: number;
  /** Taken over from processes that died before they had delivered. */
  readonly adopted?: number;
  /** Held in memory only because the disk takes none: not accepted, a crash would lose them. Absent for none. */
  readonly volatile?: number;
  /** Taken over by another process, which took this one for dead. Absent for none. */
  readonly handedOver?: number;
  /** Single values left out or cut of records that were delivered otherwise, by reason. */
  readonly cleaned?: Readonly<Record<string, number>>;
}
