import type { MetricsConfig } from '../../config/index.ts';
import { note, ok, problem, type Finding } from './finding.ts';
import { installedPackage } from './installed.ts';

/** Checks that the OpenTelemetry packages of the application fit each other and the provider. */
export function checkTelemetrySdk(
  cwd: string,
  provider: MetricsConfig['provider'],
  env: NodeJS.ProcessEnv,
): readonly Finding[] {
  const version = (name: string): string | undefined =>
    installedPackage(cwd, `@opentelemetry/${name}`)?.version;
  const api = version('api');
  if (api === undefined) {
    return [
      problem('opentelemetry', '@opentelemetry/api is missing: npm install @opentelemetry/api'),
    ];
  }
  const node = version('sdk-node');
  const parts = ['sdk-node', 'sdk-trace', 'sdk-trace-base', 'sdk-metrics', 'sdk-logs']
    .map((name) => [name, version(name)] as const)
    .filter(([, installed]) => installed !== undefined)
    .map(([name, installed]) => `${name} ${installed}`);
  const found = [`api ${api}`, ...parts].join(', ');
  if (provider === 'otlp' && node === undefined) {
    return [
      problem('opentelemetry', `${found}; otlp requires npm install @opentelemetry/sdk-node`),
    ];
  }
  if (parts.length === 0) {
    const without = 'no SDK; console, sqlite and the InfluxDB ledger work without it';
    return [note('opentelemetry', `${found}; ${without}`)];
  }
  const metrics = version('sdk-metrics');
  return [
    ok('opentelemetry', found),
    ...(provider === 'influxdb' && metrics === undefined
      ? [note('metrics', 'metrics in InfluxDB require npm install @opentelemetry/sdk-metrics')]
      : []),
    ...peerMetrics(version('instrumentation-openai'), env),
  ];
}

/** We enrich its spans, but its metrics remain in a separate scope. */
function peerMetrics(installed: string | undefined, env: NodeJS.ProcessEnv): readonly Finding[] {
  const disabled = env['OTEL_NODE_DISABLED_INSTRUMENTATIONS']?.split(',') ?? [];
  if (installed === undefined || disabled.some((name) => name.trim() === 'openai')) return [];
  return [
    note(
      'metrics',
      `@opentelemetry/instrumentation-openai ${installed} also reports openai calls as gen_ai.client.* ` +
        'in its own scope: a sum over both scopes counts them twice; ' +
        'OTEL_NODE_DISABLED_INSTRUMENTATIONS=openai disables it',
    ),
  ];
}
