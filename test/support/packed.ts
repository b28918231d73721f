import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** This Node, for npm as well, and an environment without variables that affect an application. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { NODE_OPTIONS: _options, OTEL_CONFIG_FILE: _file, ...env } = process.env;
  const path = [dirname(process.execPath), env['PATH'] ?? ''].join(delimiter);
  return { ...(env as Record<string, string>), PATH: path, ...more };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program in a folder, for at most two minutes. */
async function runIn(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  try {
    const options = { cwd, env: environment(env), timeout: 120_000, maxBuffer: 2 ** 26 };
    const { stdout, stderr } = await run(command, [...args], options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as Record<string, string | undefined>;
    return { code: Number(code ?? 1), out: stdout, err: stderr };
  }
}

let packing: Promise<string> | undefined;

/** The tarball to publish, built once per process. */
export function packedTarball(): Promise<string> {
  packing ??= pack();
  return packing;
}

async function pack(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'token-meter-pack-'));
  process.once('exit', () => void rm(folder, { recursive: true, force: true }));
  const { code, out, err } = await runIn(ROOT, 'npm', [
    'pack',
    '--silent',
    '--pack-destination',
    folder,
  ]);
  if (code !== 0) throw new Error(`npm pack failed: ${out}${err}`);
  return join(folder, out.trim().split('\n').at(-1) ?? '');
}

export interface UserApp {
  readonly folder: string;
  write(name: string, text: string): Promise<void>;
  run(
    command: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Ran>;
  remove(): Promise<void>;
}

/** A user's project in a temporary folder, with the tarball and these packages installed. */
export async function installedApp(packages: readonly string[]): Promise<UserApp> {
  const folder = await mkdtemp(join(tmpdir(), 'token-meter-app-'));
  const app: UserApp = {
    folder,
    write: async (name, text) => await writeFile(join(folder, name), text),
    run: async (command, args, env) => await runIn(folder, command, args, env),
    remove: async () => await rm(folder, { recursive: true, force: true }),
  };
  await app.write('package.json', '{ "name": "app", "private": true, "type": "module" }');
  const { code, err } = await app.run('npm', [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    await packedTarball(),
    ...packages,
  ]);
  if (code !== 0) throw new Error(`npm install failed: ${err}`);
  return app;
}
