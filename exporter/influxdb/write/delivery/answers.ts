import type { Answer } from '../../transport.ts';

/** What an answer to a write means for its lines. */
export type Verdict =
  | { readonly kind: 'stored' }
  /** The server cannot now: keep and try again. */
  | { readonly kind: 'later'; readonly retryAfterMs?: number }
  /** Keep and try again, but a person must put something right. */
  | { readonly kind: 'attention' }
  /** The body is too large: send it in halves. */
  | { readonly kind: 'tooLarge' }
  /** The server does not read gzip. */
  | { readonly kind: 'plain' }
  /** At least one line is refused; how many of the others were stored differs from server to server. */
  | { readonly kind: 'refused'; readonly reason: 'refused' | 'beyond_retention' };

/** Longest pause that a server may ask for. */
const MAX_RETRY_AFTER_MS = 600_000;
const LATER = new Set([408, 425, 429]);

export function judge(answer: Answer, now: number): Verdict {
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) {
    // 2.x answers unknown paths with the page of its user interface and stores nothing.
    return headers['content-type']?.includes('html') === true
      ? { kind: 'attention' }
      : { kind: 'stored' };
  }
  if (status >= 500 || LATER.has(status)) {
    const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
    return retryAfterMs === undefined ? { kind: 'later' } : { kind: 'later', retryAfterMs };
  }
  if (status === 413) return { kind: 'tooLarge' };
  if (status === 415) return { kind: 'plain' };
  if (status === 400 || status === 422) {
    const beyond = /(beyond|outside) retention/.test(body);
    return { kind: 'refused', reason: beyond ? 'beyond_retention' : 'refused' };
  }
  // 401, 403, 404, redirects and whatever else no resend of these lines can be blamed for.
  return { kind: 'attention' };
}

/** Seconds or a date, as RFC 9110 has it. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}

/**
 * The reason in a body, fit for logs: short, and without the lines that servers quote, which hold user
 * ids.
 */
export function explain({ status, body, headers }: Answer): string {
  const told = messageIn(body) ?? headers['x-influxdb-error'] ?? body;
  const clean = told
    .replace(/'[^]*'/g, "'…'")
    .replaceAll(/\s+/g, ' ')
    .trim();
  const short = clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
  return short === '' ? `HTTP ${status}` : `HTTP ${status}: ${short}`;
}

/** The field that a server refused for its type; undefined when it refused something else. */
export function conflictingField({ body }: Answer): string | undefined {
  // 1.x and 2.x, then 3.x; inside of JSON quotes are escaped.
  const [, name1, name3] =
    /field type conflict: input field \\?"(.+?)\\?" on measurement|invalid column type for column '(.+?)', expected/.exec(
      body,
    ) ?? [];
  return name1 ?? name3;
}

function messageIn(body: string): string | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    const told = message ?? error;
    return typeof told === 'string' ? told : undefined;
  } catch {
    return undefined;
  }
}
