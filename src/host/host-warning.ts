const reported = new Set<string>();

/**
 * Warns once on stderr about a problem that only the operator of the application can fix, even when
 * OpenTelemetry diagnostics are off. `--disable-warning=CODE` silences it.
 */
export function warnHost(code: string, message: string): void {
  if (reported.has(message)) return;
  reported.add(message);
  process.emitWarning(
    message.startsWith('otel-token-meter') ? message : `otel-token-meter: ${message}`,
    {
      type: 'TokenMeterWarning',
      code,
    },
  );
}
