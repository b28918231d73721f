import { parseRetryAfter } from '../../../delivery/retry-after.ts';
import type { Answer } from '../../transport.ts';

/** What an answer to a write means for its lines. */
export type Verdict =
  | { readonly kind: 'stored' }
  /** The server cannot now: keep and try again. `timedOut`: perhaps for the size of the body. */
  | { readonly kind: 'later'; readonly retryAfterMs?: number; readonly timedOut?: boolean }
  /** Keep and try again, but a person must put something right. */
  | { readonly kind: 'attention' }
  /** The body is too large: send it in halves. */
  | { readonly kind: 'tooLarge' }
  /** The server does not read gzip. */
  | { readonly kind: 'plain' }
  /** At least one line is refused; how many of the others were stored differs from server to server. */
  | { readonly kind: 'refused'; readonly reason: 'refused' | 'beyond_retention' };

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
    return {
      kind: 'later',
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...((status === 408 || status === 504) && { timedOut: true }),
    };
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

/**
 * The reason in a body, fit for logs: short, and without the lines that servers quote, which hold user
 * ids.
 */
export function explain({ status, body, headers }: Answer): string {
  const said = messageIn(body) ?? headers['x-influxdb-error'] ?? body;
  const clean = said
    .replace(/'[^]*'/g, "'…'")
    .replaceAll(/\s+/g, ' ')
    .trim();
  const short = clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
  return short === '' ? `HTTP ${status}` : `HTTP ${status}: ${short}`;
}

/**
 * Whether a status may be the answer to single lines: gateways look into bodies and answer what they like.
 * The others are about who asks, where, and how often.
 */
export function mayBlameLines(status: number): boolean {
  return status >= 400 && ![401, 404, 407, 408, 425, 429, 502, 503, 504].includes(status);
}

/** What a server says it refused, where it says so precisely. Everything else of the batch is stored. */
export type Complaint =
  /** A field has another type than it is stored with. `stored`: that type, where the server names it. */
  | { readonly kind: 'type'; readonly field: string; readonly stored?: string }
  /** The oldest so many lines are older than the bucket keeps. */
  | { readonly kind: 'retention'; readonly lines: number }
  /** A tag has as many values as the server allows. */
  | { readonly kind: 'tagLimit'; readonly tag: string };

export function complaintIn(answer: Answer): Complaint | undefined {
  // 3.x has it in a list beside its message.
  const text = answer.body.replaceAll('\\"', '"');
  // 1.x and 2.x, then 3.x.
  const [, name1, type1, name3, type3] =
    /field type conflict: input field "(.+?)" on measurement .*?(?:already exists as type (\w+))|invalid column type for column '(.+?)', expected (?:[\w:]*::)?(\w+)/.exec(
      text,
    ) ?? [];
  const [field, stored] = [name1 ?? name3, type1 ?? type3];
  if (field !== undefined) return { kind: 'type', field, ...(stored !== undefined && { stored }) };
  const [, tag] = /max-values-per-tag limit exceeded .*?tag="(.+?)"/.exec(text) ?? [];
  if (tag !== undefined) return { kind: 'tagLimit', tag };
  // 1.x, then 2.x. Without `partial write` nothing says that the others are stored.
  const [, lines1, lines2] =
    /partial write: points? beyond retention policy dropped=(\d+)|partial write: dropped (\d+) points? outside retention policy/.exec(
      text,
    ) ?? [];
  const lines = Number(lines1 ?? lines2);
  return lines > 0 ? { kind: 'retention', lines } : undefined;
}

function messageIn(body: string): string | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    const said = message ?? error;
    return typeof said === 'string' ? said : undefined;
  } catch {
    return undefined;
  }
}
