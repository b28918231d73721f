import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface AppRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface AppOptions {
  readonly node?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** It hangs when it runs longer. @default 50000 */
  readonly hangsMs?: number;
  /** Called with the output so far and a function to signal the app. */
  readonly onOutput?: (out: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Below the time-out of a test, so that what the app wrote can be seen. */
const HANGS_MS = 50_000;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a small application in a separate process, with the sources of this package. */
export async function runApp(file: string, options: AppOptions = {}): Promise<AppRun> {
  const { OTEL_CONFIG_FILE: _file, NODE_OPTIONS: _options, ...env } = process.env;
  const app = spawn(
    process.execPath,
    [
      '--conditions=otel-token-meter/source',
      ...(options.node ?? []),
      file,
      ...(options.args ?? []),
    ],
    { cwd: options.cwd ?? ROOT, env: { ...env, ...options.env } },
  );
  let out = '';
  let err = '';
  app.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    options.onOutput?.(out, (signal) => void app.kill(signal));
  });
  app.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return await new Promise((resolve, reject) => {
    const late = setTimeout(() => app.kill('SIGKILL'), options.hangsMs ?? HANGS_MS);
    app.on('error', reject);
    app.on('close', (code, signal) => {
      clearTimeout(late);
      resolve({ code, signal, out, err });
    });
  });
}
