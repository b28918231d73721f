import { parseRetryAfter } from '../../delivery/retry-after.ts';
import { exceptionIn, MISSING_TABLE, withoutValues } from '../exception.ts';

/** An answer to an insert. */
export interface InsertAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What an answer means for the rows of an insert. */
type Verdict =
  | { readonly kind: 'stored' }
  /** The server cannot now: keep and try again. */
  | { readonly kind: 'later'; readonly retryAfterMs?: number; readonly timedOut?: boolean }
  /** Keep and try again, but a person must put something right. */
  | { readonly kind: 'attention' }
  | { readonly kind: 'tooLarge' }
  /** A row cannot be read or stored; nothing of the block is. */
  | { readonly kind: 'refused' };

export interface Judgement {
  readonly verdict: Verdict;
  /** Of the exception, or the HTTP status. */
  readonly code: string;
  /** Without values of rows. */
  readonly message: string;
}

/**
 * Codes that blame a row: what parsers and conversions throw,
 * https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const OF_A_ROW: ReadonlySet<number> = new Set([
  6, 25, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 321, 349, 407, 441, 469, 630, 675, 676,
]);
/** Missing rights, accounts, read-only users. */
const OF_ACCESS: ReadonlySet<number> = new Set([164, 192, 193, 194, 195, 291, 497, 516, 519]);
const TIMED_OUT: ReadonlySet<number> = new Set([159, 209]);
const LATER_STATUS: ReadonlySet<number> = new Set([408, 425, 429]);

export function judge({ status, headers, body }: InsertAnswer, now: number): Judgement {
  const header = first(headers['x-clickhouse-exception-code']);
  // A server that fails after it began to answer has sent the status 200.
  const exception = exceptionIn(body, header);
  if (exception !== undefined) {
    const { code, message } = exception;
    const said = MISSING_TABLE.has(code)
      ? `${message}: run otel-token-meter setup clickhouse, which makes and updates the tables`
      : message;
    return { verdict: verdictOf(code), code: String(code), message: said };
  }
  const shown = withoutValues(body);
  const message = shown === '' ? `HTTP ${status}` : `HTTP ${status}: ${shown}`;
  const verdict = verdictOfStatus(status, first(headers['retry-after']), now);
  return { verdict, code: String(status), message };
}

function verdictOf(code: number): Verdict {
  if (OF_A_ROW.has(code)) return { kind: 'refused' };
  if (MISSING_TABLE.has(code) || OF_ACCESS.has(code)) return { kind: 'attention' };
  return TIMED_OUT.has(code) ? { kind: 'later', timedOut: true } : { kind: 'later' };
}

/** Of something on the way that is no ClickHouse. */
function verdictOfStatus(status: number, retryAfter: string | undefined, now: number): Verdict {
  if (status >= 200 && status < 300) return { kind: 'stored' };
  if (status === 413) return { kind: 'tooLarge' };
  if (status >= 500 || LATER_STATUS.has(status)) {
    const retryAfterMs = parseRetryAfter(retryAfter, now);
    return {
      kind: 'later',
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...((status === 408 || status === 504) && { timedOut: true }),
    };
  }
  return { kind: 'attention' };
}

const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;
