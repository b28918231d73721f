import { diag, DiagLogLevel, type DiagLogFunction } from '@opentelemetry/api';

const INTERVAL_MS = 60_000;
/** A message names its subject first, and counts and times after it. */
const SAME_START = 60;

/**
 * Prints warnings and errors of the telemetry, each kind once a minute: OpenTelemetry prints nothing unless
 * `OTEL_LOG_LEVEL` is set, and a ledger that cannot be written would show nowhere.
 */
export function printDiagnostics(
  env: Readonly<Record<string, string | undefined>>,
  print: (line: string) => void,
  now: () => number = () => performance.now(),
): void {
  if ((env['OTEL_LOG_LEVEL'] ?? '') !== '') return;
  const printed = new Map<string, number>();
  const write: DiagLogFunction = (message) => {
    const kind = message.slice(0, SAME_START);
    const last = printed.get(kind);
    if (last !== undefined && now() - last < INTERVAL_MS) return;
    printed.set(kind, now());
    print(message);
  };
  const silent: DiagLogFunction = () => {};
  diag.setLogger(
    { error: write, warn: write, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
