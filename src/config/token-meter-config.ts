import type { Budget } from '../budgets/budget.ts';
import type { PricesConfig } from './settings/prices.ts';
import type { StoreName, StoresConfig } from './settings/stores.ts';

/** The effective configuration. Durations are in milliseconds; an absent value is unset. */
export interface TokenMeterConfig {
  /** Of the instrumentation; `metrics.enabled` is the live switch. */
  readonly enabled: boolean;
  readonly counting: 'missing' | 'always' | 'never';
  readonly metricNames: 'v1_41' | 'latest' | 'both';
  /** Without the team, which every record may have. */
  readonly dimensions: readonly string[];
  readonly metricAttributes: readonly string[];
  readonly captureContent: boolean;
  readonly userIdHashKey?: string;
  readonly requestIdentity: 'never' | 'plain' | 'all';
  readonly nativeSpans: 'enrich' | 'separate';
  readonly chunkTimes: 'mean' | 'each';
  readonly modelAliases?: Readonly<Record<string, string>>;
  readonly pricesFile?: string;
  readonly prices: PricesConfig;
  readonly metrics: MetricsConfig;
  /** See docs/budgets.md. */
  readonly budgets: readonly Budget[];
  readonly alerts: AlertsConfig;
  readonly settings: {
    readonly store: 'memory' | 'file' | 'redis';
    readonly whenUnknown: 'hold' | 'off' | 'default';
    readonly file: { readonly path: string };
    readonly redis: {
      readonly url: string;
      readonly keyPrefix: string;
      readonly pollIntervalMs: number;
    };
  };
}

/** See docs/alerts.md. */
interface AlertsConfig {
  readonly file?: string;
  readonly intervalMs: number;
  readonly stateFile: string;
  readonly webhookUrl?: string;
  readonly webhookSecret?: string;
  readonly language: 'en' | 'zh';
  readonly publicUrl?: string;
  readonly slackUrl?: string;
  readonly teamsUrl?: string;
  readonly pagerdutyRoutingKey?: string;
  readonly pagerdutyUrl: string;
  readonly smtpUrl?: string;
  readonly emailFrom?: string;
  readonly emailTo?: readonly string[];
}

export interface MetricsConfig extends StoresConfig {
  readonly enabled: boolean;
  readonly tokenStatistics: boolean;
  readonly provider: StoreName | 'otlp' | 'console' | 'none';
}

/** Recursively optional configuration, for code and defaults. */
export type PartialConfig<T = TokenMeterConfig> = {
  readonly [K in keyof T]?: T[K] extends readonly unknown[]
    ? T[K] | undefined
    : T[K] extends object | undefined
      ? PartialConfig<NonNullable<T[K]>> | undefined
      : T[K] | undefined;
};
