import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { docBlocks } from '../support/doc-blocks.ts';
import { commandsOf } from '../support/doc-commands.ts';
import { type RunningApp, startExampleApp } from '../support/example-app.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const DOC = 'docs/other-languages.md';
const REPORTER = 'reporter-token-5d0c1a';

interface Program {
  readonly name: string;
  /** Without one of these there is nothing to test. */
  readonly needs: readonly (readonly [command: string, versionFlag: string])[];
  readonly files: readonly string[];
  /** Start of the commands; the last of them runs the program. */
  readonly commands: string;
  readonly refused: RegExp;
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'Go',
    needs: [['go', 'version']],
    files: ['main.go'],
    commands: 'go mod init summaries',
    refused: /^\*url\.Error$/,
  },
  {
    name: 'Java',
    needs: [
      ['java', '-version'],
      ['mvn', '-version'],
    ],
    files: ['Summaries.java', 'pom.xml'],
    commands: 'mvn -q dependency:copy-dependencies',
    refused: /^java\.net\.ConnectException$/,
  },
];

/** The documented programs, with OpenTelemetry's SDKs from their registries. */
describe('services in Go and Java, as documented', function () {
  this.timeout(600_000);
  let app: RunningApp;
  let model: Server;
  let replies = 0;
  const folders: string[] = [];

  before(async () => {
    model = await startModel(() => `chatcmpl-${++replies}`);
    app = await startExampleApp({ env: { TOKEN_METER_REPORTER_TOKEN: REPORTER } });
  });
  after(async () => {
    await app?.close();
    model?.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  for (const program of PROGRAMS) {
    it(program.name, async function () {
      for (const [command, flag] of program.needs)
        if (!(await succeeds(command, [flag]))) this.skip();
      const folder = mkdtempSync(join(tmpdir(), 'token-meter-language-'));
      folders.push(folder);
      const write = (change: (text: string) => string): void => {
        for (const name of program.files) {
          const block = docBlocks(DOC).find(({ file }) => file === name);
          assert(block !== undefined, name);
          writeFileSync(join(folder, name), change(block.text));
        }
      };
      write((text) => text);
      const commands = commandsOf(DOC, program.commands);
      const install = commands.slice(0, -1).join(' && ');
      if (!(await succeeds('sh', ['-c', install], folder))) this.skip();

      const service = `summaries-${program.name}`;
      const start = async (baseUrl: string): Promise<string> => {
        const variables = commandsOf(DOC, 'pip install').filter((line) =>
          line.startsWith('export'),
        );
        const script = [...variables, commands.at(-1) ?? '']
          .join('\n')
          .replace('=summaries', `=${service}`)
          .replace('http://127.0.0.1:3000', app.origin);
        const env = {
          ...process.env,
          BASE_URL: baseUrl,
          OPENAI_API_KEY: 'none',
          TOKEN_METER_REPORTER_TOKEN: REPORTER,
        };
        // Java exits with 1 after a failed call.
        return await run('sh', ['-c', script], { cwd: folder, env }).then(
          ({ stdout }) => stdout,
          (error: { readonly stderr?: string }) => error.stderr ?? '',
        );
      };
      const { port } = model.address() as AddressInfo;
      assert.equal(await start(`http://127.0.0.1:${port}/v1`), 'Hello, Ann.\n');
      await start('http://127.0.0.1:9/v1');
      write((text) => text.replace('gpt-4o-mini', 'none'));
      await start(`http://127.0.0.1:${port}/v1`);

      type Call = Readonly<Record<string, unknown>>;
      const calls = async (): Promise<readonly Call[]> => {
        const answer = await app.api(`/api/usage/records?service=${service}`);
        return ((await answer.json()) as { records: readonly Call[] }).records;
      };
      await until(async () => (await calls()).length >= 3, 10_000);
      const replyId = `chatcmpl-${replies}`;
      const [unknown, refused, whole, ...more] = await calls();
      assert.deepEqual(more, [], 'each once');
      const {
        id,
        time,
        duration_ms: duration,
        trace_id: trace,
        span_id: span,
        ...rest
      } = whole ?? {};
      assert.ok([id, time, trace, span].every((value) => typeof value === 'string'));
      assert.ok((duration as number) > 0);
      assert.deepEqual(rest, {
        service,
        operation: 'chat',
        provider: 'openai',
        request_model: 'gpt-4o-mini',
        response_model: 'gpt-4o-mini-2024-07-18',
        response_id: replyId,
        user_id: 'ann',
        conversation_id: '42',
        team: 'research',
        input_tokens: 1200,
        output_tokens: 35,
        total_tokens: 1235,
        cache_read_tokens: 1024,
        token_source: 'provider',
        outcome: 'ok',
        cost_usd: 0.000_124_2,
        cost_source: 'list',
        attributes: {},
      });
      assert.equal(unknown?.['error_type'], '404');
      assert.match(String(refused?.['error_type']), program.refused);
      for (const failed of [unknown, refused]) {
        assert.equal(failed?.['outcome'], 'error');
        assert.equal(failed?.['user_id'], 'ann');
        assert.equal(failed?.['total_tokens'], undefined);
      }
    });
  }
});

/** Chat completions with cached tokens, and no model named none. */
async function startModel(newId: () => string): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { model } = JSON.parse(body) as { readonly model: string };
    const isKnown = model === 'gpt-4o-mini';
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' });
    if (!isKnown) {
      response.end('{"error": {"message": "The model does not exist."}}');
      return;
    }
    response.end(
      JSON.stringify({
        id: newId(),
        object: 'chat.completion',
        model: 'gpt-4o-mini-2024-07-18',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello, Ann.' } }],
        usage: {
          prompt_tokens: 1200,
          completion_tokens: 35,
          total_tokens: 1235,
          prompt_tokens_details: { cached_tokens: 1024 },
        },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function succeeds(command: string, args: readonly string[], cwd?: string): Promise<boolean> {
  return await run(command, args, { cwd }).then(
    () => true,
    () => false,
  );
}
