const reported = new Set<string>();

/** Distinct messages per process, in case one is ever made from a caller's data. */
const REPORTED_MAX = 500;

/**
 * Warns once on stderr about a problem that only the operator of the application can fix, even when
 * OpenTelemetry diagnostics are off. `--disable-warning=CODE` silences it.
 */
export function warnHost(code: string, message: string): void {
  if (reported.has(message) || reported.size >= REPORTED_MAX) return;
  reported.add(message);
  process.emitWarning(
    message.startsWith('otel-token-meter') ? message : `otel-token-meter: ${message}`,
    {
      type: 'TokenMeterWarning',
      code,
    },
  );
}
