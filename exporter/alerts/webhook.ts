import { setTimeout as sleep } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../src/errors.ts';
import type { UsageAlert } from './usage-alert.ts';
import { signingKey, webhookHeaders } from './webhook-signature.ts';

export interface AlertWebhookOptions {
  /** Where alerts are posted. Redirects are not followed. */
  readonly url: string;
  /** Shared secret; `whsec_` + base64 as in Standard Webhooks, or any other text taken as it is. */
  readonly secret?: string;
  /** Attempts for one `send`, the first included. @default 5 */
  readonly maxAttempts?: number;
  /** Of one attempt. @default 10_000 */
  readonly timeoutMs?: number;
  /** Wait before the second attempt; doubles, with jitter. A longer Retry-After applies. @default 1000 */
  readonly retryDelayMs?: number;
  /** Alerts waiting at most; beyond it the oldest is dropped and counted. @default 100 */
  readonly maxQueued?: number;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
  readonly random?: () => number;
}

export interface AlertWebhookStatus {
  readonly delivered: number;
  /** `failed` and `queue_full`: `send` resolved to false, so `UsageAlerts` sends the alert again. */
  readonly dropped: {
    readonly queue_full: number;
    readonly refused: number;
    readonly failed: number;
  };
  readonly queued: number;
}

type Result = 'delivered' | 'refused' | 'failed' | 'queue_full';
type Attempt = Result | { readonly retryAfterMs: number };

interface Queued {
  readonly alert: UsageAlert;
  readonly finish: (result: Result) => void;
}

const MAX_RETRY_AFTER_MS = 60_000;
const HAS_NO_HEADER_TEXT = /[^\x21-\x7e]/;

/**
 * Delivers alerts one after another to an HTTP endpoint as Standard Webhooks: signed, retried,
 * bounded. Never throws or rejects.
 */
export class AlertWebhook {
  readonly #options: AlertWebhookOptions;
  readonly #key: Buffer | undefined;
  readonly #queue: Queued[] = [];
  readonly #abort = new AbortController();
  readonly #counts = { delivered: 0, queue_full: 0, refused: 0, failed: 0 };
  #sending: Promise<void> | undefined;

  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(options: AlertWebhookOptions) {
    checkOptions(options);
    this.#key = options.secret === undefined ? undefined : signingKey(options.secret);
    this.#options = options;
  }

  /** Pass as `onAlert`. Resolves to false if the alert should be sent again later. */
  readonly send = async (alert: UsageAlert): Promise<boolean> => {
    if (this.#abort.signal.aborted) return false;
    if (this.#queue.length >= (this.#options.maxQueued ?? 100)) {
      this.#counts.queue_full += 1;
      this.#queue.shift()?.finish('queue_full');
    }
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#queue.push({ alert, finish: resolve });
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
    const result = await promise;
    return result === 'delivered' || result === 'refused';
  };

  /** Resolves when everything queued so far was delivered or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Gives up what is still waiting. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#sending;
  }

  status(): AlertWebhookStatus {
    const { delivered, ...dropped } = this.#counts;
    return { delivered, dropped, queued: this.#queue.length };
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const result = this.#abort.signal.aborted ? 'failed' : await this.#deliver(next.alert);
      this.#counts[result] += 1;
      if (result !== 'delivered') {
        diag.warn(`otel-token-meter: an alert was not delivered to its webhook (${result})`);
      }
      next.finish(result);
    }
  }

  async #deliver(alert: UsageAlert): Promise<Result> {
    const { maxAttempts = 5, retryDelayMs = 1000, random = Math.random } = this.#options;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const result = await this.#post(alert);
      if (typeof result === 'string') return result;
      if (attempt === maxAttempts) break;
      const backOff = retryDelayMs * 2 ** (attempt - 1) * (0.5 + random());
      const delay = Math.max(backOff, result.retryAfterMs);
      const wait = sleep(delay, undefined, { ref: false, signal: this.#abort.signal });
      await wait.catch(() => undefined);
      if (this.#abort.signal.aborted) break;
    }
    return 'failed';
  }

  async #post(alert: UsageAlert): Promise<Attempt> {
    const { url, timeoutMs = 10_000, fetch: post = fetch, now = Date.now } = this.#options;
    const body = JSON.stringify({ type: 'token_meter.alert', timestamp: alert.time, data: alert });
    const id = HAS_NO_HEADER_TEXT.test(alert.id) ? encodeURIComponent(alert.id) : alert.id;
    try {
      const response = await post(url, {
        method: 'POST',
        body,
        headers: webhookHeaders(id, body, this.#key, now()),
        redirect: 'error',
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      if (response.ok) return 'delivered';
      const isTemporary =
        response.status >= 500 || response.status === 408 || response.status === 429;
      return isTemporary ? { retryAfterMs: retryAfterMs(response) } : 'refused';
    } catch {
      return { retryAfterMs: 0 };
    }
  }
}

function retryAfterMs({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? 0);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 0;
}

function checkOptions(options: AlertWebhookOptions): void {
  const { url, secret } = options;
  const refuse = (key: string, allowed: string, value?: unknown): never => {
    throw new TokenMeterError('INVALID_OPTION', `alert webhook: ${key} must be ${allowed}`, {
      value,
      allowed,
    });
  };
  // Neither value is shown: the path of a webhook URL is often its only secret.
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (!['http:', 'https:'].includes(parsed?.protocol ?? '')) refuse('url', 'an http(s) address');
  if (parsed?.username || parsed?.password) refuse('url', 'an address without user or password');
  if (secret !== undefined && typeof secret !== 'string') refuse('secret', 'a text');
  for (const key of ['maxAttempts', 'timeoutMs', 'retryDelayMs', 'maxQueued'] as const) {
    const value = options[key];
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value < 2 ** 31)) continue;
    refuse(key, 'a whole number from 1 on', value);
  }
}
