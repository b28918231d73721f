import { setTimeout as sleep } from 'node:timers/promises';
import { TokenMeterError } from '../../errors.ts';
import { isObject, type JsonObject } from '../../tokens/json.ts';

/** How the API of a provider is asked. */
export interface ApiAccess {
  /** Such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** With the key, which is in no message. */
  readonly headers: Readonly<Record<string, string>>;
  /** For messages: which key is needed. */
  readonly keyName: string;
  /** @default global fetch */
  readonly fetch?: typeof fetch;
}

const TIMEOUT_MS = 60_000;
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 30_000;
/** A year of days with a page each is fewer; a cursor that never ends is more. */
const MAX_PAGES = 2000;

/**
 * The `data` of all pages. Rejects with `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`, naming address and status
 * but neither key nor answer.
 */
export async function allPages(
  access: ApiAccess,
  path: string,
  parameters: readonly (readonly [string, string])[],
): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  const seen = new Set<string>();
  let page: string | undefined;
  do {
    const query = page === undefined ? parameters : [...parameters, ['page', page] as const];
    const answer = await ask(access, path, query);
    const { data, has_more: hasMore, next_page: next } = answer;
    if (!Array.isArray(data) || !data.every(isObject)) {
      throw refused(access, path, 'answered in an unknown form: no list "data"');
    }
    found.push(...data);
    page = hasMore === true && typeof next === 'string' && next !== '' ? next : undefined;
    if (page !== undefined && (seen.has(page) || seen.size >= MAX_PAGES)) {
      throw refused(access, path, 'repeats a page');
    }
    if (page !== undefined) seen.add(page);
  } while (page !== undefined);
  return found;
}

async function ask(
  access: ApiAccess,
  path: string,
  query: readonly (readonly [string, string])[],
): Promise<JsonObject> {
  const { baseUrl, headers, keyName } = access;
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]));
  const url = `${baseUrl.replace(/\/+$/, '')}${path}${query.length === 0 ? '' : `?${search.toString()}`}`;
  for (let attempt = 1; ; attempt++) {
    let response: Response;
    try {
      response = await (access.fetch ?? fetch)(url, {
        headers: { accept: 'application/json', ...headers },
        // A redirect would take the key to another host.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      const reason = causeOf(cause);
      throw new TokenMeterError(
        'BACKEND_UNREACHABLE',
        `${shown(access, path)} cannot be reached: ${reason}`,
        { value: shown(access, path) },
      );
    }
    if (response.ok) {
      const answer: unknown = await response.json().catch(() => undefined);
      if (isObject(answer)) return answer;
      throw refused(access, path, 'did not answer with JSON');
    }
    await response.body?.cancel();
    const { status } = response;
    if (status === 401 || status === 403) {
      throw refused(access, path, `refused the key (status ${status}); it needs ${keyName}`);
    }
    const isPassing = status === 429 || status >= 500;
    if (!isPassing || attempt === ATTEMPTS) {
      throw refused(access, path, `answered with status ${status}`);
    }
    await sleep(waitMs(response, attempt));
  }
}

function waitMs(response: Response, attempt: number): number {
  const asked = Number(response.headers.get('retry-after') ?? Number.NaN) * 1000;
  const wait = Number.isNaN(asked) ? FIRST_WAIT_MS * 2 ** (attempt - 1) : asked;
  return Math.min(MAX_WAIT_MS, Math.max(0, wait));
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}

function shown({ baseUrl }: ApiAccess, path: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname.replace(/\/+$/, '')}${path}`;
}

function refused(access: ApiAccess, path: string, why: string): TokenMeterError {
  const value = shown(access, path);
  return new TokenMeterError('BACKEND_REFUSED', `${value} ${why}`, { value });
}
