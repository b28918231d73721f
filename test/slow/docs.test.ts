import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { docBlocks, docFiles, type DocBlock } from '../support/doc-blocks.ts';
import { installedApp, packedTarball, type UserApp } from '../support/packed.ts';
import { freePort } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };

/** How each program of the documents is started, and what its user sees. */
interface Expected {
  readonly register?: false;
  readonly stream?: true;
  readonly out?: RegExp;
  readonly err?: RegExp;
  /** A server: what is sent to it, and what it answers. */
  readonly ask?: { readonly path: string; readonly answer: RegExp };
  /** Reads the ledger of a call that was made before. */
  readonly ledger?: true;
  /** Loaded before a server that goes on. */
  readonly preload?: true;
  /** A module that others load: it has to start and to end. */
  readonly endsBySignal?: true;
}

const LINE = /^alice gpt-4o .*18→9 tok .*$/m;
const CHAT = { path: '/chat', answer: /twice a day/ };
const EXPECTED: Readonly<Record<string, Expected>> = {
  'app.mjs': { out: /twice a day/, err: LINE },
  'who.mjs': { err: /^alice gpt-4o conv-7 18→9 tok .*$/m },
  'wrap.mjs': { err: /^alice tide-1 18→4 tok .*$/m },
  'tell.mjs': { err: /^alice gpt-4o \d+→\d+ tok .*$/m },
  'express.mjs': { ask: CHAT, err: LINE },
  'koa.mjs': { ask: CHAT, err: LINE },
  'fastify.mjs': { ask: CHAT, err: LINE },
  'next.config.mjs': { register: false },
  'instrumentation.mjs': { register: false },
  'stream.mjs': { stream: true, out: /twice a day/, err: LINE },
  'own-stream.mjs': { out: /Twice a day\./, err: /^alice gpt-4o \d+→\d+ tok .*$/m },
  'context.mjs': { err: /^alice gpt-4o conv-7 18→9 tok .*\nalice gpt-4o conv-7 18→9 tok .*$/m },
  'telemetry.mjs': { register: false, endsBySignal: true },
  'by-hand.mjs': { register: false, out: /^gpt-4o 27$/m },
  'prometheus.mjs': {
    register: false,
    preload: true,
    ask: { path: '/metrics', answer: /target_info/ },
  },
  'influx.mjs': { register: false, endsBySignal: true },
  'report.mjs': { ledger: true, register: false },
  'decorated.mjs': { out: /Twice a day\./, err: /^alice gpt-4o \d+→\d+ tok .*$/m },
  'decorator.ts': { err: /^alice tide-1 18→4 tok .*$/m },
  'manual.mjs': { out: /^\d+ counted$/m },
};

describe('programs of the documents, in a new project', () => {
  let server: WireServer;
  let app: UserApp;
  before(async () => {
    server = await startWireServer();
    app = await installedApp([
      'openai@7',
      'express@5',
      'koa@3',
      'fastify@5',
      '@opentelemetry/sdk-node@^0.301.0',
      '@opentelemetry/sdk-metrics@^3.1.0',
      '@opentelemetry/exporter-prometheus@^0.301.0',
      '@influxdata/influxdb-client@^1.35.0',
      'typescript@~5.9.0',
    ]);
  });
  after(async () => {
    await app.remove();
    await server.close();
  });

  const environment = (port: number): Record<string, string> => ({
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'test',
    TOKEN_METER_SETTINGS_STORE: 'memory',
    TOKEN_METER_SPOOL: 'false',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    PORT: `${port}`,
  });

  /** A server, or a program without an end: asked, then told to stop. */
  async function runUntilStopped(
    args: readonly string[],
    port: number,
    ask: Expected['ask'],
  ): Promise<{ out: string; err: string }> {
    const child = spawn(process.execPath, args, {
      cwd: app.folder,
      env: { ...process.env, ...environment(port) },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const ended = new Promise((resolve) => child.once('close', resolve));
    if (ask === undefined) await new Promise((resolve) => setTimeout(resolve, 1500));
    else {
      const url = `http://127.0.0.1:${port}${ask.path}`;
      const post = {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-user-id': 'alice' },
        body: JSON.stringify({ message: 'When is high tide?' }),
      };
      await until(async () => {
        const answer = await fetch(url, ask.path === '/chat' ? post : {}).catch(() => undefined);
        return answer !== undefined && ask.answer.test(await answer.text());
      }, 15_000);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    child.kill('SIGTERM');
    await ended;
    return { out, err };
  }

  async function run(block: DocBlock & { readonly file: string }): Promise<void> {
    const expected = EXPECTED[block.file];
    assert.ok(expected !== undefined, `${block.doc}: nobody says what ${block.file} does`);
    server.play(expected.stream ? chatStream(WIRE) : chatPlain(WIRE));
    let { file } = block;
    await app.write(file, block.text);
    if (file.endsWith('.ts')) {
      const compile = ['tsc', file, '--module', 'nodenext', '--target', 'es2022'];
      const { code, out } = await app.run('npx', compile);
      assert.equal(code, 0, out);
      file = 'use.mjs';
      await app.write(
        file,
        `import { TideService } from './${block.file.replace('.ts', '.js')}';
await new TideService().ask({ body: { user: { id: 'alice' } }, model: 'tide-1', messages: [] });`,
      );
    }
    const preload = expected.register === false ? [] : ['--import', 'otel-token-meter/register'];
    const program = expected.preload
      ? ['--import', `./${file}`, '--eval', 'setInterval(() => undefined, 1000)']
      : [...preload, file];
    const port = await freePort();
    if (expected.ledger) {
      await app.write(
        'app.mjs',
        docBlocks('README.md').find((one) => one.file === 'app.mjs')?.text ?? '',
      );
      const made = ['--import', 'otel-token-meter/register', 'app.mjs'];
      await app.run('node', made, { ...environment(port), TOKEN_METER_PROVIDER: 'sqlite' });
    }
    const endless = expected.ask !== undefined || expected.endsBySignal === true;
    const { out, err, code } = endless
      ? { ...(await runUntilStopped(program, port, expected.ask)), code: 0 }
      : await app.run('node', program, environment(port));
    assert.equal(code, 0, `${file}: ${err}`);
    if (expected.out !== undefined) assert.match(out, expected.out, `${file}: ${err}`);
    if (expected.err === undefined) assert.doesNotMatch(err, /Error|Warning/, file);
    else assert.match(err, expected.err, file);
  }

  for (const doc of docFiles()) {
    const programs = docBlocks(doc).filter(
      ({ file, language }) => file !== undefined && (language === 'js' || language === 'ts'),
    );
    for (const block of programs) {
      const { file = '' } = block;
      it(`${doc}: ${file}`, async () => await run({ ...block, file }));
    }
  }
});

/** From an empty folder, by the README alone. */
describe('a newcomer', () => {
  it('sees the first number within five minutes, two commands and nine lines', async () => {
    const blocks = docBlocks('README.md');
    const commands = blocks.filter(({ language }) => language === 'sh');
    // What stands before is for a checkout; a user begins by installing.
    const [install, start] = commands.slice(
      commands.findIndex(({ text }) => text.startsWith('npm install')),
    );
    const program = blocks.find(({ language }) => language === 'js');
    assert.equal(install?.text, 'npm install otel-token-meter openai\n');
    assert.equal(start?.text, `node --import otel-token-meter/register ${program?.file}\n`);

    const server = await startWireServer();
    server.play(chatPlain(WIRE));
    const startedAt = Date.now();
    // `npm install`, with the tarball in the place of the name that is not published yet.
    const app = await installedApp(['openai']);
    try {
      await app.write(program?.file ?? '', program?.text ?? '');
      const [command = '', ...args] = start.text.trim().split(' ');
      const env = { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: server.url };
      const { code, out, err } = await app.run(command, args, env);
      assert.deepEqual([code, out], [0, 'The tide comes in twice a day.\n'], err);
      assert.match(err, LINE);
      const seconds = (Date.now() - startedAt) / 1000;
      assert.ok(seconds < 300, `${seconds} s`);

      // And as the README goes on: the switch, and doctor.
      const off = blocks.find(({ text }) => text.includes('.token-meter/settings.json'));
      assert.equal((await app.run('sh', ['-c', off?.text ?? ''])).code, 0);
      const quiet = await app.run(command, args, env);
      assert.deepEqual([quiet.code, quiet.err], [0, '']);
      const doctor = await app.run('npx', ['otel-token-meter', 'doctor'], env);
      assert.equal(doctor.code, 0, doctor.out);
      assert.match(doctor.out, /ok {2}llm sdk +openai \S+ is patched/);
      assert.match(doctor.out, /enabled=false/);
    } finally {
      await app.remove();
      await server.close();
    }
  });

  it('gets fifteen packages at most, no install script and less than four megabytes', async () => {
    const app = await installedApp([]);
    try {
      const { out } = await app.run('npm', ['ls', '--all', '--parseable']);
      const packages = out.trim().split('\n').slice(1);
      assert.ok(packages.length <= 15, packages.join('\n'));
      const query = await app.run('npm', ['query', ':attr(scripts, [postinstall])']);
      assert.deepEqual(JSON.parse(query.out), []);
      const { size } = await stat(await packedTarball());
      assert.ok(size < 4_000_000, `${size} bytes`);
    } finally {
      await app.remove();
    }
  });
});
