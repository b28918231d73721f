/** The effective configuration. Durations are in milliseconds; an absent value is unset. */
export interface TokenMeterConfig {
  readonly counting: 'missing' | 'always' | 'never';
  readonly metricNames: 'v1_41' | 'latest' | 'both';
  readonly metricAttributes: readonly string[];
  readonly captureContent: boolean;
  readonly userIdHashKey?: string;
  readonly requestIdentity: 'never' | 'plain' | 'all';
  readonly nativeSpans: 'enrich' | 'separate';
  readonly chunkTimes: 'mean' | 'each';
  readonly modelAliases?: Readonly<Record<string, string>>;
  readonly pricesFile?: string;
  readonly metrics: MetricsConfig;
  readonly alerts: AlertsConfig;
  readonly settings: {
    readonly store: 'memory' | 'file' | 'redis';
    readonly file: { readonly path: string };
    readonly redis: {
      readonly url: string;
      readonly keyPrefix: string;
      readonly pollIntervalMs: number;
    };
  };
}

/** See docs/alerts.md. */
export interface AlertsConfig {
  readonly file?: string;
  readonly intervalMs: number;
  readonly webhookUrl?: string;
  readonly webhookSecret?: string;
}

export interface MetricsConfig {
  readonly enabled: boolean;
  readonly tokenStatistics: boolean;
  readonly provider: 'influxdb' | 'sqlite' | 'otlp' | 'console' | 'none';
  readonly influxdb: InfluxConfig;
  readonly sqlite: { readonly path: string; readonly retentionDays?: number };
}

export interface InfluxConfig {
  readonly url: string;
  readonly version: 'auto' | '1' | '2' | '3';
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly org?: string;
  readonly bucket: string;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly timeoutMs: number;
  readonly proxyUrl?: string;
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
    readonly passphrase?: string;
  };
  readonly maxUserTags: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly spool: {
    readonly enabled: boolean;
    readonly directory: string;
    readonly maxBytes: number;
    readonly fsync: 'never' | 'interval' | 'always';
    readonly whenFull: 'drop-oldest' | 'refuse';
  };
}

/** Recursively optional configuration, for code and defaults. */
export type PartialConfig<T = TokenMeterConfig> = {
  readonly [K in keyof T]?: T[K] extends readonly unknown[]
    ? T[K] | undefined
    : T[K] extends object | undefined
      ? PartialConfig<NonNullable<T[K]>> | undefined
      : T[K] | undefined;
};
