import type { ResolvedConfig } from './resolve.ts';

type Env = Readonly<Record<string, string | undefined>>;

const SIGNALS = ['TRACES', 'METRICS', 'LOGS'] as const;

/**
 * The standard variable that asks for an export, if one is set: an OTLP endpoint, or an exporter other
 * than `none` (OpenTelemetry specification, SDK environment variables).
 */
export function exportVariable(env: Env): string | undefined {
  const endpoints = ['', ...SIGNALS.map((signal) => `${signal}_`)].map(
    (signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`,
  );
  const exporters = SIGNALS.map((signal) => `OTEL_${signal}_EXPORTER`);
  return (
    endpoints.find((name) => named(env[name]).length > 0) ??
    exporters.find((name) => named(env[name]).some((exporter) => exporter !== 'none'))
  );
}

/** Items of a list. An empty variable is unset. */
function named(list: string | undefined): readonly string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/**
 * The setting or standard variable that asks for an export by an OpenTelemetry SDK. A provider that is
 * set explicitly wins.
 */
export function exportWantedBy({ values, settings }: ResolvedConfig, env: Env): string | undefined {
  if (values.metrics.provider === 'otlp') return 'otlp';
  const origin = settings.find(({ setting }) => setting.key === 'metrics.provider')?.origin;
  const isExplicit =
    origin?.from === 'file' ||
    (origin?.from === 'env' && origin.variable === 'TOKEN_METER_PROVIDER');
  return isExplicit ? undefined : exportVariable(env);
}
