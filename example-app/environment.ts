import { resolveConfig, type TokenMeterConfig } from 'otel-token-meter/config';
import { type OpenIdSettings, readOpenId } from './openid/openid-environment.ts';

/** Environment variables of the application, in addition to the configuration of the plugin. */
export interface AppEnvironment {
  readonly host: string;
  readonly port: number;
  readonly adminTokens: string | undefined;
  readonly viewerTokens: string | undefined;
  readonly reporterTokens: string | undefined;
  readonly viewerTeams: string | undefined;
  readonly sessionSecret: string | undefined;
  readonly openId: OpenIdSettings | undefined;
  /** Number of proxies in front of the application that set X-Forwarded-For. */
  readonly proxies: number;
  readonly openai: { readonly apiKey: string; readonly baseURL: string | undefined } | undefined;
  readonly config: TokenMeterConfig;
  /** Invalid variables of the application. The plugin reports problems of its configuration. */
  readonly problems: readonly string[];
}

/** OpenTelemetry's rule holds for every variable: an empty one is unset. Compose files pass many empty. */
export function unsetEmpty(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (value?.trim() === '') delete env[name];
  }
}

/**
 * Never throws: an invalid value is added to the problems and the default applies. By default the
 * ledger is a SQLite file and the settings are stored in a JSON file.
 */
export function readEnvironment(
  given: Readonly<Record<string, string | undefined>> = process.env,
): AppEnvironment {
  const env = { ...given };
  unsetEmpty(env);
  const { values: config } = resolveConfig({ env, defaults: { metrics: { provider: 'sqlite' } } });
  const problems: string[] = [];
  const number = (name: string, fallback: number, max: number): number => {
    const text = env[name]?.trim() ?? '';
    if (text === '') return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0 && value <= max) return value;
    problems.push(`${name} is ${JSON.stringify(text)}; allowed: a whole number from 0 to ${max}`);
    return fallback;
  };
  const apiKey = env['OPENAI_API_KEY'];
  const baseURL = env['OPENAI_BASE_URL'];
  return {
    host: env['HOST'] ?? '127.0.0.1',
    port: number('PORT', 3000, 65_535),
    adminTokens: env['TOKEN_METER_ADMIN_TOKEN'],
    viewerTokens: env['TOKEN_METER_VIEWER_TOKEN'],
    reporterTokens: env['TOKEN_METER_REPORTER_TOKEN'],
    viewerTeams: env['TOKEN_METER_VIEWER_TEAMS'],
    sessionSecret: env['TOKEN_METER_SESSION_SECRET'],
    openId: readOpenId(env, problems),
    proxies: number('TRUSTED_PROXIES', 0, 10),
    // A self-hosted server often needs no key.
    openai:
      apiKey === undefined && baseURL === undefined
        ? undefined
        : { apiKey: apiKey ?? 'none', baseURL },
    config,
    problems,
  };
}
