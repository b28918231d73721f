import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

export interface AppClientOptions {
  readonly url: string;
  readonly token: string | undefined;
}

const TIMEOUT_MS = 10_000;

/** Client of the API of a running application. */
export class AppClient {
  /** URL without credentials and query, safe to print. */
  readonly origin: string;
  readonly #token: string | undefined;

  /** Throws `INVALID_OPTION` for anything but an HTTP URL. */
  constructor({ url, token }: AppClientOptions) {
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

export function warnOfPlainHttp(client: AppClient, io: CliIo): void {
  if (client.isExposed) {
    io.stderr.write(`warning: the token is sent to ${client.origin} unencrypted; use https\n`);
  }
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
