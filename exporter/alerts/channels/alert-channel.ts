import { setTimeout as sleep } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../../src/errors.ts';
import { sampleAlert } from '../message/sample-alert.ts';
import type { UsageAlert } from '../usage-alert.ts';

/** How every channel delivers. */
export interface AlertDeliveryOptions {
  /** Attempts for one `send`, the first included. @default 5 */
  readonly maxAttempts?: number;
  /** Of one attempt. @default 10_000 */
  readonly timeoutMs?: number;
  /** Wait before the second attempt; doubles, with jitter. A longer Retry-After applies. @default 1000 */
  readonly retryDelayMs?: number;
  /** Alerts waiting at most; beyond it the oldest is dropped and counted. @default 100 */
  readonly maxQueued?: number;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** `retry`: it may work later. `detail` and `answer` hold no secrets. */
export interface DeliveryAttempt {
  readonly result: 'delivered' | 'refused' | 'retry';
  /** What happened, such as `HTTP 404` or `ECONNREFUSED`. */
  readonly detail: string;
  /** Beginning of what the receiver answered. */
  readonly answer?: string;
  readonly retryAfterMs?: number;
}

export interface AlertChannelStatus {
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

interface Queued {
  readonly alert: UsageAlert;
  readonly since: number;
  readonly finish: (result: Result) => void;
}

const MAX_RETRY_AFTER_MS = 60_000;
/** Of one `send`, the wait in the queue included. Less than what another instance takes over after. */
const SEND_LIMIT_MS = 100_000;

/** One attempt to deliver. Ends with the signal; a rejection counts as `retry`. */
export type AttemptDelivery = (alert: UsageAlert, signal: AbortSignal) => Promise<DeliveryAttempt>;

/**
 * Delivers alerts one after another to one receiver: retried, bounded. Never throws or rejects.
 * What a receiver gets and how it answers is up to each channel.
 */
export class AlertChannel {
  /** Unique among the channels of a `UsageAlerts`, and the same on every instance. */
  readonly name: string;
  /** Alerts waiting at most. */
  readonly maxQueued: number;
  readonly #attempt: AttemptDelivery;
  readonly #options: AlertDeliveryOptions;
  readonly #queue: Queued[] = [];
  readonly #abort = new AbortController();
  readonly #counts = { delivered: 0, queue_full: 0, refused: 0, failed: 0 };
  #sending: Promise<void> | undefined;

  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(name: string, options: AlertDeliveryOptions, attempt: AttemptDelivery) {
    for (const key of ['maxAttempts', 'timeoutMs', 'retryDelayMs', 'maxQueued'] as const) {
      const value = options[key];
      const isWhole = Number.isInteger(value) && (value ?? 0) >= 1 && (value ?? 0) < 2 ** 31;
      if (value !== undefined && !isWhole) refuse(name, key, 'a whole number from 1 on', value);
    }
    this.name = name;
    this.maxQueued = options.maxQueued ?? 100;
    this.#options = options;
    this.#attempt = attempt;
  }

  /** Resolves to false if the alert should be sent again later. */
  readonly send = async (alert: UsageAlert): Promise<boolean> => {
    if (this.#abort.signal.aborted) return false;
    if (this.#queue.length >= this.maxQueued) {
      this.#counts.queue_full += 1;
      this.#queue.shift()?.finish('queue_full');
    }
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#queue.push({ alert, since: performance.now(), finish: resolve });
    this.#sending ??= this.#drain();
    const result = await promise;
    return result === 'delivered' || result === 'refused';
  };

  /** One attempt beside the queue, for a person who wants to know whether the channel works. */
  async test(alert: UsageAlert = sampleAlert(Date.now())): Promise<DeliveryAttempt> {
    return await this.#once(alert);
  }

  /** Resolves when everything queued so far was delivered or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Gives up what is still waiting. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#sending;
  }

  status(): AlertChannelStatus {
    const { delivered, ...dropped } = this.#counts;
    return { delivered, dropped, queued: this.#queue.length };
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const result = await this.#deliver(next);
      this.#counts[result] += 1;
      next.finish(result);
    }
    // In the same turn as the last look at the queue: what is queued from now on starts again.
    this.#sending = undefined;
  }

  async #deliver({ alert, since }: Queued): Promise<Result> {
    const { maxAttempts = 5, retryDelayMs = 1000, random = Math.random } = this.#options;
    let detail = 'no time left';
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const left = since + SEND_LIMIT_MS - performance.now();
      if (left <= 0 || this.#abort.signal.aborted) break;
      const made = await this.#once(alert, left);
      if (made.result === 'delivered') return 'delivered';
      detail = made.detail;
      if (made.result === 'refused') {
        this.#warn('refused', detail);
        return 'refused';
      }
      if (attempt === maxAttempts) break;
      const backOff = retryDelayMs * 2 ** (attempt - 1) * (0.5 + random());
      const delay = Math.max(backOff, Math.min(made.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
      if (performance.now() + delay >= since + SEND_LIMIT_MS) break;
      const wait = sleep(delay, undefined, { ref: false, signal: this.#abort.signal });
      await wait.catch(() => undefined);
    }
    this.#warn('failed', detail);
    return 'failed';
  }

  async #once(alert: UsageAlert, limitMs = SEND_LIMIT_MS): Promise<DeliveryAttempt> {
    const timeout = AbortSignal.timeout(
      Math.max(1, Math.floor(Math.min(this.#options.timeoutMs ?? 10_000, limitMs))),
    );
    try {
      return await this.#attempt(alert, AbortSignal.any([this.#abort.signal, timeout]));
    } catch (error) {
      return { result: 'retry', detail: timeout.aborted ? 'timeout' : codeOf(error) };
    }
  }

  #warn(result: string, detail: string): void {
    diag.warn(
      `otel-token-meter: an alert was not delivered to ${this.name} (${result}: ${detail})`,
    );
  }
}

/** Never the message of an error: it may hold an address, whose path is often the only secret. */
function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  const found = cause?.code ?? code;
  return typeof found === 'string' ? found : 'connection failed';
}

export function refuse(channel: string, key: string, allowed: string, value?: unknown): never {
  throw new TokenMeterError('INVALID_OPTION', `alert ${channel}: ${key} must be ${allowed}`, {
    value,
    allowed,
  });
}
