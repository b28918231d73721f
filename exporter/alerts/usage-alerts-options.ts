import { TokenMeterError } from '../../src/errors.ts';
import type { UsageReader } from '../ledger/usage-query.ts';
import type { AlertRule } from './alert-rule.ts';
import type { AlertStateStore } from './state-store.ts';
import type { UsageAlert } from './usage-alert.ts';

export interface UsageAlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly reader: Pick<UsageReader, 'summary'>;
  /**
   * Called for each change of level, on one instance of those that share `states`. Until it returns,
   * or the promise that it returns resolves to anything but `false`, the change counts as not
   * delivered: it is delivered again after a failure, a crash or a restart, for a day.
   */
  readonly onAlert?: (alert: UsageAlert) => unknown;
  /**
   * Receivers beside `onAlert`, such as `AlertSlack`. Each confirms on its own: one that is away does
   * not make the others get an alert twice. Their names must be the same on every instance.
   */
  readonly channels?: readonly AlertReceiver[];
  /** Levels across restarts and instances. @default in memory */
  readonly states?: AlertStateStore;
  /** False silences the no-data rules: an empty window is then explained. @default always true */
  readonly isRecording?: () => boolean;
  /** @default 60_000, minimum 1000 */
  readonly intervalMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

/** As `onAlert`, with a name. */
export interface AlertReceiver {
  readonly name: string;
  readonly send: (alert: UsageAlert) => unknown;
  /** Alerts that are handed to it at once. @default 100 */
  readonly maxQueued?: number;
}

const MAX_INTERVAL_MS = 2 ** 31 - 1;
/** What the queue of a channel takes. */
const MAX_SENDING = 100;

export function receiversOf({
  onAlert,
  channels = [],
}: UsageAlertsOptions): ReadonlyMap<string, (alert: UsageAlert) => unknown> {
  const receivers = channels.map(({ name, send }) => [name, send] as const);
  return new Map([...(onAlert ? [['onAlert', onAlert] as const] : []), ...receivers]);
}

export function maxSendingOf({ channels = [] }: UsageAlertsOptions): number {
  return Math.min(MAX_SENDING, ...channels.map(({ maxQueued = MAX_SENDING }) => maxQueued));
}

export function refuse(key: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_OPTION', `alerts: ${key} must be ${allowed}`, {
    value,
    allowed,
  });
}

/** Throws `INVALID_OPTION` naming the wrong option. */
export function checkOptions({
  reader,
  onAlert,
  channels = [],
  states,
  isRecording,
  intervalMs,
  now,
}: UsageAlertsOptions): void {
  if (typeof reader?.summary !== 'function') refuse('reader', reader, 'a UsageReader');
  if (states !== undefined && typeof states.swap !== 'function') {
    refuse('states', states, 'an AlertStateStore');
  }
  for (const [key, value] of Object.entries({ onAlert, isRecording, now })) {
    if (value !== undefined && typeof value !== 'function') refuse(key, value, 'a function');
  }
  const receivers = ['onAlert', ...channels.map(({ name }) => name)];
  const areNamed = channels.every(({ name, send }) => name && typeof send === 'function');
  if (!areNamed || new Set(receivers).size < receivers.length) {
    refuse('channels', receivers.slice(1), 'receivers, each with another name');
  }
  const isInterval =
    intervalMs === undefined || (Number.isFinite(intervalMs) && intervalMs <= MAX_INTERVAL_MS);
  if (!isInterval) refuse('intervalMs', intervalMs, `a number of up to ${MAX_INTERVAL_MS}`);
}
