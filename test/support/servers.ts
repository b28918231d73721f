import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { influxExecute } from './influx.ts';

/** A real server on a free loopback port, with its data in a temporary folder. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  readonly process: ChildProcess;
  /** Ends the process (SIGTERM by default) and waits for it. Keeps the data. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Restarts it with the same port and data. */
  restart(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

type Binary = 'influxd' | 'redis-server' | 'victoria-metrics' | 'chromium';

/** Where an installed program is. */
export function pathOf(binary: string): string | undefined {
  try {
    return execFileSync('which', [binary], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/**
 * Call first in a `before` hook. Skips the suite if the server is not installed, or fails it with
 * REQUIRE_SERVERS=1, as in CI.
 */
export function requireServer(test: Mocha.Context, binary: Binary): void {
  if (pathOf(binary) !== undefined) return;
  if (process.env['REQUIRE_SERVERS'] === '1') {
    throw new Error(`${binary} is not installed and REQUIRE_SERVERS=1 forbids skipping`);
  }
  test.skip();
}

/** Below the ports that Linux gives to outgoing connections: none of those takes it meanwhile. */
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;

/**
 * A loopback port that was free a moment ago. At random, since test files of several processes ask at
 * the same time, and the kernel may give a port that was closed just now to the next who asks.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly directory: string;
  readonly ready: () => Promise<boolean>;
}

/** Redis does not start under the shifted clock of `npm run test:dates`, whose library is preloaded. */
function trueClock(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _library, FAKETIME: _offset, ...env } = process.env;
  return env;
}

export async function launch({
  command,
  args,
  port,
  directory,
  ready,
}: Launch): Promise<TestServer> {
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(command, args, { cwd: directory, env: trueClock(), stdio: 'ignore' });
    child.unref();
    for (let i = 0; i < 400; i++) {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
      if (await ready().catch(() => false)) return child;
      await sleep(25);
    }
    child.kill('SIGKILL');
    throw new Error(`${command} was not ready within 10 s`);
  };
  let child = await start();
  const kill = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    directory,
    get process() {
      return child;
    },
    kill,
    async restart() {
      await kill();
      child = await start();
    },
    async stop() {
      await kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const answers = (url: string, status: number): (() => Promise<boolean>) => {
  return async () => (await fetch(url)).status === status;
};

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `token-meter-${name}-`));
}

/**
 * InfluxDB 1.x. `databases` are created; `auth` starts it with authentication on; it looks for what has expired every
 * `retentionCheckMs`.
 */
export async function startInfluxd(
  options: {
    readonly databases?: readonly string[];
    readonly auth?: boolean;
    readonly retentionCheckMs?: number;
  } = {},
): Promise<TestServer> {
  const directory = temporaryFolder('influxd');
  const [port, rpcPort] = [await freePort(), await freePort()];
  writeFileSync(
    join(directory, 'influx.conf'),
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "meta"
[data]
  dir = "data"
  wal-dir = "wal"
  index-version = "tsi1"
  query-log-enabled = false
[retention]
  check-interval = "${options.retentionCheckMs ?? 1_800_000}ms"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  auth-enabled = ${options.auth === true}
`,
  );
  const server = await launch({
    command: 'influxd',
    args: ['run', '-config', 'influx.conf'],
    port,
    directory,
    ready: answers(`http://127.0.0.1:${port}/ping`, 204),
  });
  for (const database of options.databases ?? []) {
    await influxExecute(server.url, `CREATE DATABASE "${database}"`);
  }
  return server;
}

export async function startVictoriaMetrics({
  retention = '100y',
}: { readonly retention?: string } = {}): Promise<TestServer> {
  const directory = temporaryFolder('vm');
  const port = await freePort();
  return await launch({
    command: 'victoria-metrics',
    args: [
      '-storageDataPath=vm',
      `-retentionPeriod=${retention}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-search.latencyOffset=0s',
    ],
    port,
    directory,
    ready: answers(`http://127.0.0.1:${port}/health`, 200),
  });
}

/** Redis without persistence, empty after a restart. `url` is a redis:// URL. */
export async function startRedis(args: readonly string[] = []): Promise<TestServer> {
  const directory = temporaryFolder('redis');
  const port = await freePort();
  const bound = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return await launchRedis([...bound, ...args], port, directory);
}

/** A Redis Sentinel for the group `name` with this server as primary. */
export async function startSentinel(primary: TestServer, name: string): Promise<TestServer> {
  const directory = temporaryFolder('sentinel');
  const port = await freePort();
  writeFileSync(
    join(directory, 'sentinel.conf'),
    `port ${port}
bind 127.0.0.1
sentinel monitor ${name} 127.0.0.1 ${primary.port} 1
sentinel down-after-milliseconds ${name} 1000
sentinel failover-timeout ${name} 5000
`,
  );
  return await launchRedis(['sentinel.conf', '--sentinel'], port, directory);
}

async function launchRedis(
  args: readonly string[],
  port: number,
  directory: string,
): Promise<TestServer> {
  const server = await launch({
    command: 'redis-server',
    args,
    port,
    directory,
    ready: async () => {
      const { connect } = await import('node:net');
      return await new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
        socket.once('data', (data) => {
          socket.destroy();
          resolve(data.toString().startsWith('+PONG'));
        });
        socket.once('error', () => resolve(false));
      });
    },
  });
  return Object.defineProperty(server, 'url', { value: `redis://127.0.0.1:${port}` });
}
