const told = new Set<string>();

/**
 * Tells the person who runs the application what only they can put right: on stderr, once, also where
 * no OpenTelemetry diagnostics are switched on. `--disable-warning=CODE` silences it.
 */
export function warnHost(code: string, message: string): void {
  if (told.has(message)) return;
  told.add(message);
  process.emitWarning(
    message.startsWith('otel-token-meter') ? message : `otel-token-meter: ${message}`,
    {
      type: 'TokenMeterWarning',
      code,
    },
  );
}
