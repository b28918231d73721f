type Env = Readonly<Record<string, string | undefined>>;

const NAMES = ['otel-token-meter', 'token-meter', 'token_meter'];

/**
 * Whether the variable of `@opentelemetry/auto-instrumentations-node` names this instrumentation.
 * Its counterpart, `OTEL_NODE_ENABLED_INSTRUMENTATIONS`, chooses from the packages bundled there and
 * leaves one that is loaded separately alone.
 */
export function isDisabledByName(env: Env): boolean {
  const names = (env['OTEL_NODE_DISABLED_INSTRUMENTATIONS'] ?? '').split(',');
  return names.some((name) => NAMES.includes(name.trim().toLowerCase()));
}
