import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

export type SettingsDocument = Readonly<Record<string, unknown>>;

export interface ReadSettings {
  readonly settings: SettingsDocument;
  readonly version: number;
  readonly staleSince?: string;
}

export interface InstanceVersions {
  /** Of the instance that answered. */
  readonly version: number;
  readonly epoch?: string;
  readonly instances: readonly { readonly version: number; readonly epoch?: string }[];
}

export interface SettingsClientOptions {
  readonly url: string;
  readonly token: string | undefined;
}

const PATH = '/api/settings/metrics';
const TIMEOUT_MS = 10_000;

/** Client for the settings API of a running application. */
export class SettingsClient {
  /** URL without credentials and query, safe to print. */
  readonly origin: string;
  readonly #token: string | undefined;

  /** Throws `INVALID_OPTION` for anything but an HTTP URL. */
  constructor({ url, token }: SettingsClientOptions) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
      throw new TokenMeterError('INVALID_OPTION', '--url is not a valid URL', {
        allowed: 'http://host:port or https://host',
      });
    }
    this.origin = parsed.origin + parsed.pathname.replace(/\/+$/, '');
    this.#token = token;
  }

  /** Whether the token would be sent unencrypted over a network. */
  get isExposed(): boolean {
    const { protocol, hostname } = new URL(this.origin);
    const here = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
    return protocol === 'http:' && !here && this.#token !== undefined;
  }

  async get(): Promise<ReadSettings> {
    return await readSettings(await this.request(PATH));
  }

  /** Throws `SETTINGS_CONFLICT` when the settings are at another version than `ifVersion`. */
  async patch(
    changes: SettingsDocument,
    { reason, ifVersion }: { readonly reason?: string; readonly ifVersion?: string } = {},
  ): Promise<ReadSettings> {
    const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
    const answer = await this.request(PATH + query, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/merge-patch+json',
        ...(ifVersion !== undefined && { 'if-match': `"${ifVersion}"` }),
      },
      body: JSON.stringify(changes),
    });
    return await readSettings(answer);
  }

  /** Version and epoch that each instance applies. */
  async instances(): Promise<InstanceVersions> {
    const answer = await this.request(`${PATH}/instances`);
    return (await answer.json()) as InstanceVersions;
  }

  /** Event stream, starting after `lastEventId`. */
  async events(lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
    const headers = { ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    return await this.request(`${PATH}/events`, { headers, signal });
  }

  /**
   * Throws `BACKEND_UNREACHABLE`, or `BACKEND_REFUSED` with the reason given by the application.
   */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(this.origin + path, {
        // A redirect would send the token to another server.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...init,
        headers: {
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
          ...(init.headers as Record<string, string> | undefined),
        },
      });
    } catch (error) {
      throw new TokenMeterError(
        'BACKEND_UNREACHABLE',
        `${this.origin} is not reachable: ${reasonOf(error)}`,
      );
    }
    if (answer.ok) return answer;
    throw await refusal(answer);
  }
}

export function warnOfPlainHttp(client: SettingsClient, io: CliIo): void {
  if (client.isExposed) {
    io.stderr.write(`warning: the token is sent to ${client.origin} unencrypted; use https\n`);
  }
}

async function readSettings(answer: Response): Promise<ReadSettings> {
  const staleSince = answer.headers.get('settings-stale-since');
  return {
    settings: (await answer.json()) as SettingsDocument,
    version: Number(answer.headers.get('settings-version')),
    ...(staleSince !== null && { staleSince: printable(staleSince) }),
  };
}

async function refusal(answer: Response): Promise<TokenMeterError> {
  const problem = (await answer.json().catch(() => ({}))) as {
    detail?: string;
    errors?: { detail: string }[];
    version?: number;
  };
  const details = problem.errors?.map(({ detail }) => detail) ?? [];
  const reason = details.length > 0 ? details.join('; ') : (problem.detail ?? 'no reason given');
  const code = answer.status === 412 ? 'SETTINGS_CONFLICT' : 'BACKEND_REFUSED';
  return new TokenMeterError(code, `${answer.status}: ${printable(reason)}`, {
    ...(problem.version !== undefined && { value: problem.version }),
    ...(answer.status === 401 && { allowed: 'an access token in --token or TOKEN_METER_TOKEN' }),
  });
}

function reasonOf(error: unknown): string {
  const { cause, message, name } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  return cause?.code ?? cause?.message ?? message;
}

/** Removes control characters, which could move the cursor or forge a line. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, '\uFFFD');
}
