import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { childEnv } from './child-env.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const APP_TOKEN = 'e2e-admin-token';

/** The example application as started by `npm start`, in a separate process and folder. */
export interface RunningApp {
  readonly origin: string;
  readonly directory: string;
  readonly process: ChildProcess;
  /** Everything it printed so far. */
  readonly output: () => string;
  readonly chat: (body: Readonly<Record<string, unknown>>) => Promise<Response>;
  /** Requests with the admin token; with a JSON body if given. */
  api(
    path: string,
    init?: { readonly method?: string; readonly body?: unknown },
  ): Promise<Response>;
  /** Of a stopped application, from the ledger in its folder. */
  storedCalls(): Promise<number>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Stops the process and removes its folder. */
  close(): Promise<void>;
}

export interface StartAppOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Folder to keep and reuse. By default a temporary one is created. */
  readonly directory?: string;
  /** After this time the process is killed and the start rejects. @default 50000 */
  readonly startTimeoutMs?: number;
}

export async function startExampleApp(options: StartAppOptions = {}): Promise<RunningApp> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'example-app-'));
  const child = spawn(
    process.execPath,
    ['--conditions=otel-token-meter/source', join(ROOT, 'example-app/main.ts')],
    {
      cwd: directory,
      env: childEnv({
        HOME: directory,
        PORT: '0',
        TOKEN_METER_ADMIN_TOKEN: APP_TOKEN,
        ...options.env,
      }),
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  };
  const removeFolder = (): void => rmSync(directory, { recursive: true, force: true });
  let origin: string | undefined;
  try {
    await until(() => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the app ended with ${child.exitCode ?? child.signalCode}:\n${output}`);
      origin = /otel-token-meter example: (http:\S+)/.exec(output)?.[1];
      return origin !== undefined;
    }, options.startTimeoutMs ?? 50_000);
  } catch (error) {
    await stop('SIGKILL');
    if (options.directory === undefined) removeFolder();
    throw error;
  }
  const at = origin as string;
  const send = async (path: string, method: string, body: unknown): Promise<Response> =>
    await fetch(at + path, {
      method,
      headers: {
        authorization: `Bearer ${APP_TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  return {
    origin: at,
    directory,
    process: child,
    output: () => output,
    chat: (body) => send('/api/chat', 'POST', body),
    api: (path, init = {}) => send(path, init.method ?? 'GET', init.body),
    async storedCalls() {
      const reader = new SqliteUsageReader({ path: join(directory, '.token-meter/usage.db') });
      const { records } = await reader.records({ limit: 100 });
      await reader.close();
      return records.length;
    },
    stop: () => stop(),
    async close() {
      await stop();
      removeFolder();
    },
  };
}
