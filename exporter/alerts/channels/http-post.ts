import { type DeliveryAttempt, refuse } from './alert-channel.ts';

export interface HttpPost {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Must not appear in what the receiver is quoted with. The URL never does. */
  readonly secrets?: readonly string[];
  readonly fetch?: typeof fetch;
}

const ANSWER_LENGTH = 200;
/** Enough for the message of an error; the rest is not read. */
const ANSWER_BYTES = 4096;
/** Shorter parts of an address are words, not secrets. */
const LEAST_SECRET = 8;

/**
 * Posts JSON. Server errors, 408 and 429 may pass; other answers, redirects too, are final. Rejects as
 * fetch does.
 */
export async function postJson(post: HttpPost): Promise<DeliveryAttempt> {
  const { url, body, headers, signal, fetch: send = fetch } = post;
  const response = await send(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    redirect: 'manual',
    signal,
  });
  const text = quoted(await beginning(response), [...secretsOf(url), ...(post.secrets ?? [])]);
  const { status } = response;
  const detail = `HTTP ${status}`;
  const answer = text === '' ? {} : { answer: text };
  if (response.ok) return { result: 'delivered', detail, ...answer };
  const isTemporary = status >= 500 || status === 408 || status === 429;
  if (!isTemporary) return { result: 'refused', detail, ...answer };
  return { result: 'retry', detail, ...answer, retryAfterMs: retryAfterMs(response) };
}

/** Seconds, or a date. */
function retryAfterMs({ headers }: Response): number {
  const value = headers.get('retry-after') ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.now();
  return seconds > 0 ? seconds : 0;
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  let bytes = Buffer.alloc(0);
  try {
    while (bytes.length < ANSWER_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes = Buffer.concat([bytes, value]);
    }
    await reader.cancel();
  } catch {
    // The status counts; the rest of the answer does not.
  }
  return bytes.toString('utf8');
}

/**
 * Of an address of which any part may be the secret. Receivers quote it whole or in part: the path
 * alone, its last segment, one parameter; decoded, or escaped for JSON or HTML.
 */
function secretsOf(url: string): readonly string[] {
  const { pathname, search, searchParams } = new URL(url);
  const parts = [...pathname.split('/'), ...searchParams.values()];
  return [url, `${pathname}${search}`, pathname, ...parts.filter(isLong)];
}

function isLong(part: string): boolean {
  return part.length >= LEAST_SECRET;
}

/** What a receiver answered, for people: in one line, bounded, without secrets. */
export function quoted(text: string, secrets: readonly string[]): string {
  const all = secrets.flatMap((secret) => [secret, decoded(secret), encodeURIComponent(secret)]);
  let shown = text;
  for (const secret of all.toSorted((a, b) => b.length - a.length)) {
    if (secret.length > 1) shown = shown.replaceAll(secret, '***');
  }
  return shown
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, ANSWER_LENGTH);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Neither the URL nor a secret is shown: the path of such a URL is often the only secret. */
export function checkAddress(channel: string, url: unknown): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (!['http:', 'https:'].includes(parsed?.protocol ?? '')) {
    refuse(channel, 'url', 'an http(s) address');
  }
  if (parsed?.username || parsed?.password) {
    refuse(channel, 'url', 'an address without user or password');
  }
}
