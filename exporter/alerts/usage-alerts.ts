import { diag } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { globalLoggerProvider } from '../../src/otel/telemetry.ts';
import type { UsageReader } from '../ledger/usage-query.ts';
import {
  type AlertLevel,
  type AlertMetric,
  type AlertRule,
  checkAlertRules,
} from './alert-rule.ts';
import { type AlertFinding, evaluateRule } from './evaluate.ts';

/** A change of level: something crossed a threshold, or came back. */
export interface UsageAlert {
  /** Equal for the same change seen by several instances of a service within one interval. */
  readonly id: string;
  readonly rule: string;
  readonly level: AlertLevel;
  readonly previousLevel: AlertLevel;
  readonly metric: AlertMetric;
  readonly by: 'user' | 'model' | 'all';
  readonly key: string | null;
  readonly value?: number;
  readonly threshold?: number;
  readonly noData: boolean;
  readonly windowMs: number;
  /** RFC 3339. */
  readonly time: string;
}

export interface UsageAlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly reader: Pick<UsageReader, 'summary'>;
  /** Called once a change of level. What it throws is logged and goes no further. */
  readonly onAlert?: (alert: UsageAlert) => void;
  /** False silences the no-data rules: an empty window is then explained. @default always true */
  readonly isRecording?: () => boolean;
  /** @default 60_000, minimum 1000 */
  readonly intervalMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

export interface UsageAlertsStatus {
  /** Everything not `ok`, worst first. */
  readonly active: readonly UsageAlert[];
  /** RFC 3339; absent before the first evaluation. */
  readonly lastEvaluated?: string;
  readonly lastError?: { readonly time: string; readonly message: string };
}

/** The log event of a change of level. */
const EVENT_ALERT = 'token_meter.alert';

const SEVERITY = {
  ok: SeverityNumber.INFO,
  warning: SeverityNumber.WARN,
  alert: SeverityNumber.ERROR,
} as const;
const ORDER: Readonly<Record<AlertLevel, number>> = { alert: 0, warning: 1, ok: 2 };
const WARN_EVERY_MS = 60_000;

/**
 * Watches thresholds on the ledger and tells when one is crossed, by callback and log event. It
 * alerts only: no call is ever refused or delayed by it.
 */
export class UsageAlerts {
  readonly #options: UsageAlertsOptions;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #active = new Map<string, UsageAlert>();
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastEvaluated: string | undefined;
  #lastError: UsageAlertsStatus['lastError'];
  #lastWarnedMs = Number.NEGATIVE_INFINITY;

  /** @throws TokenMeterError `INVALID_OPTION` for a wrong rule. */
  constructor(options: UsageAlertsOptions) {
    checkAlertRules(options.rules);
    this.#options = options;
    this.#intervalMs = Math.max(1000, options.intervalMs ?? 60_000);
    this.#now = options.now ?? Date.now;
  }

  /** Evaluates at once, then every interval; never keeps the process alive. */
  start(): void {
    if (this.#timer || this.#abort.signal.aborted || this.#options.rules.length === 0) return;
    this.#timer = setInterval(() => void this.evaluate(), this.#intervalMs);
    this.#timer.unref();
    void this.evaluate();
  }

  /** One round over all rules. Never rejects; a second call joins the round under way. */
  evaluate(): Promise<void> {
    this.#running ??= this.#evaluateAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  status(): UsageAlertsStatus {
    const active = [...this.#active.values()].toSorted((a, b) => ORDER[a.level] - ORDER[b.level]);
    return {
      active,
      ...(this.#lastEvaluated && { lastEvaluated: this.#lastEvaluated }),
      ...(this.#lastError && { lastError: this.#lastError }),
    };
  }

  /** Ends the timer and a query under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.#running;
  }

  async #evaluateAll(): Promise<void> {
    const now = this.#now();
    for (const rule of this.#options.rules) {
      try {
        const findings = await evaluateRule(rule, this.#options.reader, new Date(now), {
          isRecording: this.#options.isRecording?.() ?? true,
          signal: this.#abort.signal,
        });
        this.#apply(rule, findings, now);
        this.#lastError = undefined;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        // The levels stay as they were: a store that does not answer says nothing about usage.
        this.#warn(now, error);
      }
    }
    this.#lastEvaluated = new Date(now).toISOString();
  }

  #apply(rule: AlertRule, findings: readonly AlertFinding[], now: number): void {
    const seen = new Set<string>();
    for (const finding of findings) {
      seen.add(JSON.stringify([rule.name, finding.key]));
      this.#change(rule, finding, now);
    }
    for (const [id, alert] of this.#active) {
      if (alert.rule !== rule.name || seen.has(id)) continue;
      this.#change(rule, { key: alert.key, level: 'ok', noData: false }, now);
    }
  }

  #change(rule: AlertRule, finding: AlertFinding, now: number): void {
    const stateId = JSON.stringify([rule.name, finding.key]);
    const previousLevel = this.#active.get(stateId)?.level ?? 'ok';
    if (finding.level === previousLevel) return;
    const alert: UsageAlert = {
      ...finding,
      id: `${rule.name}/${finding.key ?? ''}/${finding.level}/${Math.floor(now / this.#intervalMs)}`,
      rule: rule.name,
      previousLevel,
      metric: rule.metric,
      by: rule.by ?? 'all',
      windowMs: rule.windowMs,
      time: new Date(now).toISOString(),
    };
    if (finding.level === 'ok') this.#active.delete(stateId);
    else this.#active.set(stateId, alert);
    this.#tell(alert);
  }

  #tell(alert: UsageAlert): void {
    globalLoggerProvider()
      .getLogger('otel-token-meter')
      .emit({
        eventName: EVENT_ALERT,
        severityNumber: SEVERITY[alert.level],
        timestamp: new Date(alert.time),
        attributes: {
          'token_meter.alert.rule': alert.rule,
          'token_meter.alert.level': alert.level,
          'token_meter.alert.previous_level': alert.previousLevel,
          'token_meter.alert.metric': alert.metric,
          'token_meter.alert.window_ms': alert.windowMs,
          'token_meter.alert.no_data': alert.noData,
          ...(alert.key !== null && { 'token_meter.alert.key': alert.key }),
          ...(alert.value !== undefined && { 'token_meter.alert.value': alert.value }),
          ...(alert.threshold !== undefined && { 'token_meter.alert.threshold': alert.threshold }),
        },
      });
    try {
      this.#options.onAlert?.(alert);
    } catch (error) {
      diag.warn('otel-token-meter: onAlert threw', error);
    }
  }

  #warn(now: number, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#lastError = { time: new Date(now).toISOString(), message };
    if (now - this.#lastWarnedMs < WARN_EVERY_MS) return;
    this.#lastWarnedMs = now;
    diag.warn(`otel-token-meter: alert rules could not be evaluated: ${message}`);
  }
}
