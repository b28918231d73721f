import type * as Client from '@clickhouse/client';
import { TokenMeterError } from '../../src/errors.ts';
import { isLoopback, makeAgent } from '../connection/connection.ts';
import type { ResolvedAccess } from './clickhouse-options.ts';

/**
 * The official client, loaded when first used: it is an optional peer. Throws `MISSING_DEPENDENCY`.
 * `holdsProcess`: whether a request keeps a process alive that has nothing else to do.
 */
export async function loadClickHouse(
  { url, database, username, password, timeoutMs, connection }: ResolvedAccess,
  { maxSockets, holdsProcess }: { readonly maxSockets: number; readonly holdsProcess: boolean },
): Promise<Client.ClickHouseClient> {
  const { createClient, ClickHouseLogLevel } = await clientModule();
  return createClient({
    url,
    database,
    username,
    password,
    application: 'otel-token-meter',
    request_timeout: timeoutMs,
    compression: { request: !isLoopback(url), response: !isLoopback(url) },
    http_agent: makeAgent(connection, { maxSockets, holdsProcess }),
    // An agent of its own cannot tell the client when it closes idle sockets.
    keep_alive: { enabled: true, idle_socket_ttl: 0 },
    use_multipart_params_auto: true,
    // What fails is reported by status() and errors.
    log: { level: ClickHouseLogLevel.OFF },
  });
}

async function clientModule(): Promise<typeof Client> {
  try {
    return await import('@clickhouse/client');
  } catch (cause) {
    throw new TokenMeterError(
      'MISSING_DEPENDENCY',
      'ClickHouse needs the package @clickhouse/client: npm install @clickhouse/client',
      { value: '@clickhouse/client', cause },
    );
  }
}
