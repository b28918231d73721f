import { spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { docBlocks } from './doc-blocks.ts';
import { installedApp, type UserApp } from './packed.ts';
import { chatPlain } from './wire/openai-chat.ts';
import { startWireServer, type WireServer } from './wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
/** Reply of the model in the documentation. */
export const DOC_WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } } as const;

type Environment = Readonly<Record<string, string>>;

/**
 * A project as the documentation assumes it, with all packages installed and `app.mjs` in place.
 */
export interface DocumentedApp extends UserApp {
  readonly wire: WireServer;
  /** One call of the model, by `app.mjs` of the README. */
  call(node: readonly string[], env?: Environment): ReturnType<UserApp['run']>;
  /** Runs a program that does not end, and stops it when `isDone` accepts its output. */
  serve(
    command: string,
    args: readonly string[],
    env: Environment,
    isDone: (output: { readonly out: string; readonly err: string }) => boolean | Promise<boolean>,
  ): Promise<{ readonly out: string; readonly err: string }>;
}

export const REGISTER = ['--import', 'otel-token-meter/register'] as const;

export async function documentedApp(packages: readonly string[]): Promise<DocumentedApp> {
  const wire = await startWireServer();
  wire.play(chatPlain(DOC_WIRE));
  const app = await installedApp(['openai@7', ...packages]);
  await app.write(
    'app.mjs',
    docBlocks('README.md').find(({ file }) => file === 'app.mjs')?.text ?? '',
  );
  const defaults = (): Environment => ({
    OPENAI_BASE_URL: wire.url,
    OPENAI_API_KEY: 'test',
    TOKEN_METER_SETTINGS_STORE: 'memory',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    // Isolates the program from files of this machine.
    XDG_STATE_HOME: app.folder,
  });
  const run: UserApp['run'] = async (command, args, env) =>
    await app.run(command, args, { ...defaults(), ...env });
  return {
    ...app,
    wire,
    run,
    call: async (node, env) => await run('node', [...node, 'app.mjs'], env),
    async serve(command, args, env, isDone) {
      const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
      const child = spawn(command, args, {
        cwd: app.folder,
        env: { ...process.env, PATH: path, ...defaults(), ...env },
        detached: true,
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      const ended = new Promise((resolve) => child.once('close', resolve));
      const giveUpAt = performance.now() + 60_000;
      try {
        while (!(await isDone({ out, err }))) {
          if (performance.now() > giveUpAt || child.exitCode !== null) {
            throw new Error(`${command} ${args.join(' ')} did not do it: ${out}${err}`);
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      } finally {
        // Signals the process group, since a shell does not forward signals. It may have ended
        // already.
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
        await ended;
      }
      return { out, err };
    },
    async remove() {
      await app.remove();
      await wire.close();
    },
  };
}

/** Requests a URL and checks the response. */
export async function answersWith(url: string, answer: RegExp, body?: object): Promise<boolean> {
  const post = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': 'alice' },
    body: JSON.stringify(body),
  };
  const response = await fetch(url, post).catch(() => undefined);
  return response !== undefined && answer.test(await response.text());
}
