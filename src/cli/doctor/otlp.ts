import { connect } from 'node:net';
import { messageOf, ok, problem, type Finding } from './finding.ts';

type Env = Readonly<Record<string, string | undefined>>;

const SIGNALS = ['traces', 'metrics', 'logs'] as const;
const TIMEOUT_MS = 5000;

/** Sends an empty export per signal, which a collector accepts without storing anything. */
export async function checkOtlp(env: Env): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    SIGNALS.map(async (signal) => {
      const exporters = exportersOf(signal, env);
      const others = exporters.filter((name) => name !== 'otlp' && name !== 'none');
      return [
        ...(exporters.includes('otlp') ? [await checkSignal(signal, env)] : []),
        ...others.map((name) => ok(`otlp ${signal}`, `goes to the exporter ${name}`)),
      ];
    }),
  );
  return findings.flat();
}

function exportersOf(signal: string, env: Env): readonly string[] {
  const list = (env[`OTEL_${signal.toUpperCase()}_EXPORTER`] ?? '').split(',');
  const names = list.map((name) => name.trim()).filter((name) => name !== '');
  return names.length === 0 ? ['otlp'] : names;
}

async function checkSignal(signal: (typeof SIGNALS)[number], env: Env): Promise<Finding> {
  const own = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`] ?? env[`OTEL_EXPORTER_OTLP_${name}`];
  const protocol = own('PROTOCOL') ?? 'http/protobuf';
  const check = `otlp ${signal}`;
  try {
    if (protocol === 'grpc') {
      const url = new URL(own('ENDPOINT') ?? 'http://localhost:4317');
      await reach(url);
      return ok(check, `${url.host} takes connections, gRPC`);
    }
    const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://localhost:4318';
    const url =
      env[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`] ??
      `${base.replace(/\/$/, '')}/v1/${signal}`;
    const answer = await fetch(url, {
      method: 'POST',
      // An empty protobuf message is zero bytes.
      body: protocol === 'http/json' ? '{}' : new Uint8Array(),
      headers: {
        ...headersOf(own('HEADERS')),
        'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const place = new URL(url).origin + new URL(url).pathname;
    return answer.ok
      ? ok(check, `${place} takes exports, ${protocol}`)
      : problem(check, `${place} answers ${answer.status}`);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    return problem(check, `not reachable: ${messageOf(cause ?? error)}`);
  }
}

function headersOf(list: string | undefined): Record<string, string> {
  const pairs = (list ?? '').split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}

async function reach({ hostname, port, protocol }: URL): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
      timeout: TIMEOUT_MS,
    });
    socket.once('connect', () => resolve(void socket.destroy()));
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no answer')));
  });
}
