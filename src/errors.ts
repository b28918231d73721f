/** Error codes, all of them. They are stable, so callers may branch on them. */
export type ErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_CONFIG'
  | 'INVALID_PRICES'
  | 'INVALID_SETTINGS'
  | 'INVALID_TELEMETRY'
  | 'SETTINGS_CONFLICT'
  | 'STORE_UNAVAILABLE'
  | 'STORE_READ_ONLY'
  | 'MISSING_DEPENDENCY'
  | 'SPOOL_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'BACKEND_REFUSED'
  | 'BACKEND_UNREACHABLE';

export interface ErrorDetails {
  /** The offending value, as given. Never a secret, never message content. */
  readonly value?: unknown;
  /** Description of the accepted values. */
  readonly allowed?: string;
  readonly cause?: unknown;
}

/**
 * The only error class of this package. Constructors and settings calls throw it; nothing on the
 * path of a metered call does.
 */
export class TokenMeterError extends Error {
  override readonly name = 'TokenMeterError';
  readonly code: ErrorCode;
  readonly value: unknown;
  readonly allowed: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.value = details.value;
    this.allowed = details.allowed;
  }
}
