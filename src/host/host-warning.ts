const warned = new Set<string>();

/** Distinct messages of one process; a bound in case one is ever made from data of a caller. */
const WARNED_MAX = 500;

/**
 * Warns the person who runs the application of what only they can put right: on stderr, once, also where no
 * OpenTelemetry diagnostics are switched on. `--disable-warning=CODE` silences it.
 */
export function warnHost(code: string, message: string): void {
  if (warned.has(message) || warned.size >= WARNED_MAX) return;
  warned.add(message);
  process.emitWarning(
    message.startsWith('otel-token-meter') ? message : `otel-token-meter: ${message}`,
    {
      type: 'TokenMeterWarning',
      code,
    },
  );
}
