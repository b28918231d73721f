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
