import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY = join(ROOT, 'example-app/deploy');

export interface Image {
  /** The working folder of the image, as a folder of this machine. */
  readonly folder: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Does what the Dockerfile says, without Docker: copies the files of the build context into an empty
 * folder and installs from the lock. Users and the base image are those of this machine.
 */
export function buildImage(folder: string): Image {
  const lines = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const env: Record<string, string> = {};
  let command: readonly string[] = [];
  let workdir = '';
  const context = contextFiles();
  for (const line of lines) {
    const [, instruction = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === 'WORKDIR') workdir = rest;
    else if (instruction === 'COPY') copy(rest.split(' '), context, folder);
    else if (instruction === 'RUN' && rest.startsWith('npm ')) {
      const [npm = '', ...args] = rest.split(' ');
      execFileSync(npm, args, {
        cwd: folder,
        // The client knows the registry, and the certificates of this machine.
        env: { ...process.env, ...imageEnv() },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    } else if (instruction === 'RUN') {
      const made = /^mkdir -p (\S+) && chown node:node \1$/.exec(rest)?.[1];
      if (made === undefined) throw new Error(`the test cannot do: RUN ${rest}`);
      mkdirSync(join(folder, made), { recursive: true });
    } else if (instruction === 'ENV') {
      const [name = '', value = ''] = rest.split(/=(.*)/s);
      env[name] = value.replace(workdir, folder);
    } else if (instruction === 'CMD') command = JSON.parse(rest) as string[];
    else if (!['FROM', 'USER', 'EXPOSE'].includes(instruction)) {
      throw new Error(`the test cannot do: ${line}`);
    }
  }
  return { folder, command, env };
}

/** With the pinned Node where the base image has its own. */
export function imageEnv(): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: process.env['HOME'] ?? '/root',
  };
}

export interface AppService {
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: readonly string[];
}

/** The application in the compose file, with these variables in `.env`. */
export function composedApp(variables: Readonly<Record<string, string>>): AppService {
  const text = readFileSync(join(DEPLOY, 'compose.yaml'), 'utf8');
  const { services } = parse(text) as {
    services: {
      app: { environment: Record<string, string>; healthcheck: { test: string[] } };
    };
  };
  const { environment, healthcheck } = services.app;
  const given = Object.entries(environment).map(([name, value]) => [
    name,
    interpolated(value, variables),
  ]);
  return {
    environment: Object.fromEntries(given) as Record<string, string>,
    healthcheck: healthcheck.test.slice(1),
  };
}

/** `${NAME:-default}` and `${NAME:?message}`, also within each other. */
function interpolated(text: string, variables: Readonly<Record<string, string>>): string {
  const innermost = /\$\{(\w+)(?::([-?])([^${}]*))?\}/g;
  let before: string;
  let after = text;
  do {
    before = after;
    after = before.replaceAll(innermost, (_, name: string, kind: string, rest: string) => {
      const value = variables[name];
      if (value !== undefined && value !== '') return value;
      if (kind === '?') throw new Error(rest);
      return rest ?? '';
    });
  } while (after !== before);
  return after;
}

/** What git knows of, less what .dockerignore leaves out. */
function contextFiles(): readonly string[] {
  const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').trim().split('\n');
  return execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter(
      (file) => !ignored.some((glob) => matchesGlob(file, glob) || matchesGlob(file, `${glob}/**`)),
    );
}

function copy(parts: readonly string[], context: readonly string[], folder: string): void {
  const sources = parts.slice(0, -1);
  const target = parts.at(-1) as string;
  for (const source of sources) {
    const files = context.filter(
      (file) => source === '.' || file === source || file.startsWith(`${source}/`),
    );
    if (files.length === 0) throw new Error(`the context has no ${source}`);
    for (const file of files) {
      // A single file goes into the target, the content of a folder takes its place.
      const name =
        source === '.' ? file : file.slice(source.length + 1) || (file.split('/').at(-1) as string);
      cpSync(join(ROOT, file), join(folder, target, name), { recursive: true });
    }
  }
}

/** Runs a command as process 1 of its own namespace. */
export const AS_PROCESS_1 = ['--pid', '--fork', '--mount-proc'] as const;

/** Whether this machine lets us. */
export function canUnshare(args: readonly string[]): boolean {
  return spawnSync('unshare', [...args, 'true']).status === 0;
}
