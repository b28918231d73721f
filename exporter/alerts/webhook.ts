import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../src/errors.ts';
import type { UsageAlert } from './usage-alerts.ts';

export interface AlertWebhookOptions {
  /** Where alerts are posted. Redirects are not followed. */
  readonly url: string;
  /** Shared secret; `whsec_` + base64 as in Standard Webhooks, or any other text taken as it is. */
  readonly secret?: string;
  /** Attempts an alert, the first included. @default 5 */
  readonly maxAttempts?: number;
  /** Of one attempt. @default 10_000 */
  readonly timeoutMs?: number;
  /** Wait before the second attempt; doubles, with jitter. @default 1000 */
  readonly retryDelayMs?: number;
  /** Alerts waiting at most; beyond it the oldest is dropped and counted. @default 100 */
  readonly maxQueued?: number;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
  readonly random?: () => number;
}

export interface AlertWebhookStatus {
  readonly delivered: number;
  readonly dropped: {
    readonly queue_full: number;
    readonly refused: number;
    readonly failed: number;
  };
  readonly queued: number;
}

/**
 * `webhook-id`, `webhook-timestamp` and `webhook-signature` (`v1,` + base64 HMAC-SHA-256 of
 * `id.timestamp.body`) as specified by https://www.standardwebhooks.com: a receiver checks origin
 * and age, and drops repeats by the id.
 */
function signed(
  alert: UsageAlert,
  body: string,
  secret: string | undefined,
  nowMs: number,
): Record<string, string> {
  const timestamp = `${Math.floor(nowMs / 1000)}`;
  const headers = {
    'content-type': 'application/json',
    // Header values are latin-1; a user id in the alert's id need not be.
    'webhook-id': encodeURIComponent(alert.id),
    'webhook-timestamp': timestamp,
  };
  if (secret === undefined) return headers;
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
  const digest = createHmac('sha256', key)
    .update(`${headers['webhook-id']}.${timestamp}.${body}`)
    .digest('base64');
  return { ...headers, 'webhook-signature': `v1,${digest}` };
}

/** Delivers alerts one after another to an HTTP endpoint: signed, retried, bounded. Never throws. */
export class AlertWebhook {
  readonly #options: AlertWebhookOptions;
  readonly #queue: UsageAlert[] = [];
  readonly #abort = new AbortController();
  readonly #counts = { delivered: 0, queue_full: 0, refused: 0, failed: 0 };
  #sending: Promise<void> | undefined;

  /** @throws TokenMeterError `INVALID_OPTION` for a url that is not http or https. */
  constructor(options: AlertWebhookOptions) {
    const protocol = URL.canParse(options.url) ? new URL(options.url).protocol : '';
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new TokenMeterError('INVALID_OPTION', 'alert webhook: url must be an http(s) address', {
        allowed: 'an http or https URL',
      });
    }
    this.#options = options;
  }

  /** Pass as `onAlert`. */
  readonly send = (alert: UsageAlert): void => {
    if (this.#abort.signal.aborted) return;
    if (this.#queue.length >= (this.#options.maxQueued ?? 100)) {
      this.#queue.shift();
      this.#counts.queue_full += 1;
    }
    this.#queue.push(alert);
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
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
    for (let alert = this.#queue.shift(); alert; alert = this.#queue.shift()) {
      const result = await this.#deliver(alert);
      this.#counts[result] += 1;
      if (result !== 'delivered') {
        diag.warn(
          `otel-token-meter: alert ${alert.rule} was not delivered to its webhook (${result})`,
        );
      }
    }
  }

  async #deliver(alert: UsageAlert): Promise<'delivered' | 'refused' | 'failed'> {
    const { maxAttempts = 5, retryDelayMs = 1000, random = Math.random } = this.#options;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const result = await this.#post(alert);
      if (result !== 'retry') return result;
      if (attempt === maxAttempts) break;
      const delay = retryDelayMs * 2 ** (attempt - 1) * (0.5 + random());
      const wait = sleep(delay, undefined, { ref: false, signal: this.#abort.signal });
      await wait.catch(() => undefined);
      if (this.#abort.signal.aborted) break;
    }
    return 'failed';
  }

  async #post(alert: UsageAlert): Promise<'delivered' | 'refused' | 'retry'> {
    const { url, secret, timeoutMs = 10_000, fetch: post = fetch, now = Date.now } = this.#options;
    const body = JSON.stringify({ type: 'token_meter.alert', timestamp: alert.time, data: alert });
    try {
      const response = await post(url, {
        method: 'POST',
        body,
        headers: signed(alert, body, secret, now()),
        redirect: 'error',
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      if (response.ok) return 'delivered';
      const isPassing =
        response.status >= 500 || response.status === 408 || response.status === 429;
      return isPassing ? 'retry' : 'refused';
    } catch {
      return 'retry';
    }
  }
}
