import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { TokenMeterError } from '../../errors.ts';
import type { RedisAddress } from './redis-address.ts';
import type { RedisClientLike } from './redis-client.ts';

export type RedisConnection = Redis | Cluster;

/**
 * Fail fast, come back by itself: a waiting queue would turn an outage into requests that hang,
 * and a resent transaction would be applied twice.
 */
const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // For the handshake. It ends also when only this process stands still, which commands must not.
  commandTimeout: 5000,
  connectTimeout: 2000,
  keepAlive: 10_000,
  // A copied client may have other values for these two.
  keyPrefix: '',
  replyMapping: 'legacy',
  retryStrategy: backoff,
  // After a fail-over the old primary still answers, read-only: reconnect to the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

/** Two connections, since one that is subscribed can do nothing else. Not connected yet. */
export async function makeConnections(
  from: { readonly address: RedisAddress } | { readonly client: RedisClientLike },
): Promise<readonly [commands: RedisConnection, subscriber: RedisConnection]> {
  const make = 'client' in from ? copiesOf(from.client) : await connectorTo(from.address);
  return [make('settings'), make('settings-changes')];
}

/**
 * Neither the sockets of this connection, nor the time limits of its commands, nor its waits between
 * attempts hold the process. ioredis 5 has no option for that.
 */
export function letGo(connection: RedisConnection): void {
  const held = connection as unknown as {
    readonly stream?: { unref?(): void };
    readonly reconnectTimeout?: { unref?(): void } | null;
  };
  const sending = connection as unknown as { sendCommand: (...args: unknown[]) => unknown };
  const { sendCommand } = sending;
  sending.sendCommand = (...args) => {
    const sent = sendCommand.apply(connection, args);
    (args[0] as { readonly _commandTimeoutTimer?: NodeJS.Timeout })._commandTimeoutTimer?.unref();
    return sent;
  };
  const release = (): void => {
    held.stream?.unref?.();
    held.reconnectTimeout?.unref?.();
  };
  for (const event of ['connecting', 'connect', 'reconnecting', 'node error']) {
    connection.on(event, release);
  }
  connection.on('+node', (node: RedisConnection) => letGo(node));
}

type Make = (connectionName: string) => RedisConnection;

function copiesOf(client: RedisClientLike): Make {
  if (client.isCluster !== true) {
    return (connectionName) =>
      (client as unknown as Redis).duplicate({ ...OPTIONS, connectionName });
  }
  const cluster = client as unknown as Cluster;
  const theirs = cluster.options.redisOptions;
  return (connectionName) => cluster.duplicate([], clusterOptions({ ...theirs, connectionName }));
}

async function connectorTo(address: RedisAddress): Promise<Make> {
  const { Redis, Cluster } = await import('ioredis').catch(missing);
  const { topology, nodes, tls, username, password, db, group } = address;
  const credentials = {
    ...(tls && { tls: {} }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
  if (topology === 'cluster') {
    return (connectionName) =>
      new Cluster([...nodes], clusterOptions({ ...credentials, connectionName }));
  }
  const shared = { ...OPTIONS, ...credentials, ...(db !== undefined && { db }) };
  if (topology === 'sentinel') {
    const sentinel = {
      name: group as string,
      sentinels: [...nodes],
      sentinelRetryStrategy: backoff,
      sentinelCommandTimeout: OPTIONS.commandTimeout,
      failoverDetector: true,
    };
    return (connectionName) => new Redis({ ...shared, ...sentinel, connectionName });
  }
  const [{ host, port }] = nodes as readonly [{ host: string; port: number }];
  return (connectionName) => new Redis({ ...shared, host, port, connectionName });
}

type NodeOptions = NonNullable<ClusterOptions['redisOptions']>;

function clusterOptions(redisOptions: NodeOptions) {
  const { retryStrategy, enableOfflineQueue, lazyConnect, ...node } = OPTIONS;
  return {
    lazyConnect,
    enableOfflineQueue,
    keyPrefix: '',
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: 2000,
    redisOptions: { ...redisOptions, ...node },
  };
}

/** Jittered, or a fleet would come back all at once; short, or it would come back late. */
function backoff(times: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2);
}

function missing(cause: unknown): never {
  throw new TokenMeterError('MISSING_DEPENDENCY', 'RedisSettingsStore needs ioredis', {
    allowed: 'npm install ioredis',
    cause,
  });
}
