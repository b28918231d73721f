import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDemoModel, type DemoModel } from '../../example-app/demo-model/server.ts';
import { commandsOf } from '../support/doc-commands.ts';
import { type RunningApp, startExampleApp } from '../support/example-app.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const REPORTER = 'reporter-token-5d0c1a';

const PROGRAM = `
import os
import openai

client = openai.OpenAI(api_key="none", base_url=os.environ["BASE_URL"], max_retries=0)
client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
for chunk in client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello"}],
    stream=True,
    stream_options={"include_usage": True},
):
    pass
try:
    client.chat.completions.create(model="none", messages=[{"role": "user", "content": "Hello"}])
except openai.OpenAIError:
    pass
`;

/** Real instrumentations from PyPI; without Python or PyPI there is nothing to test. */
describe('services in Python', function () {
  this.timeout(600_000);
  let app: RunningApp;
  let model: DemoModel;
  let folder: string;

  before(async function () {
    const version = await run('python3', ['--version']).catch(() => undefined);
    if (version === undefined) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-python-'));
    writeFileSync(join(folder, 'app.py'), PROGRAM);
    [app, model] = await Promise.all([
      startExampleApp({ env: { TOKEN_METER_REPORTER_TOKEN: REPORTER } }),
      startDemoModel(),
    ]);
  });
  after(async () => {
    await app?.close();
    await model?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const [install = '', ...rest] = commandsOf('docs/other-languages.md', 'pip install');
  for (const [name, packages] of [
    ["OpenTelemetry's openai-v2, as documented", install.replace('pip install ', '')],
    [
      'OpenLLMetry',
      'openai opentelemetry-distro opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-openai',
    ],
    [
      'OpenLIT',
      // Without its own list of requirements: what pip finds for all of them takes it half an hour.
      'openai pydantic requests schedule xmltodict opentelemetry-distro opentelemetry-exporter-otlp opentelemetry-instrumentation-requests opentelemetry-instrumentation-httpx && pip install -q --no-deps openlit',
    ],
  ] as const) {
    it(name, async function () {
      const venv = join(folder, name.replaceAll(/\W/g, ''));
      await run('python3', ['-m', 'venv', venv]);
      const shell = `. ${venv}/bin/activate && pip install -q ${packages}`;
      const isInstalled = await run('sh', ['-c', shell]).then(
        () => true,
        () => false,
      );
      if (!isInstalled) this.skip();
      const service = `python-${name.length}`;
      const script = [`. ${venv}/bin/activate`, ...rest]
        .join('\n')
        .replace('opentelemetry-instrument', name === 'OpenLIT' ? 'openlit-instrument' : '$&');
      await run(
        'sh',
        [
          '-c',
          script.replace('=summaries', `=${service}`).replace('http://127.0.0.1:3000', app.origin),
        ],
        {
          cwd: folder,
          env: { ...process.env, BASE_URL: model.url, TOKEN_METER_REPORTER_TOKEN: REPORTER },
        },
      );
      type Call = Readonly<Record<string, unknown>>;
      const calls = async (): Promise<readonly Call[]> => {
        const answer = await app.api(`/api/usage/records?service=${service}`);
        return ((await answer.json()) as { records: readonly Call[] }).records;
      };
      await until(async () => (await calls()).length >= 3, 10_000);
      const [failed, streamed, whole, ...more] = await calls();
      assert.deepEqual(more, [], 'each once');
      for (const call of [whole, streamed]) {
        assert.equal(call?.['team'], 'research');
        assert.equal(call?.['outcome'], 'ok');
        assert.equal(call?.['request_model'], 'gpt-4o-mini');
        assert((call?.['input_tokens'] as number) > 5);
        assert((call?.['output_tokens'] as number) > 5);
        assert((call?.['cost_usd'] as number) > 0);
      }
      assert.equal(failed?.['outcome'], 'error');
      assert.equal(failed?.['total_tokens'], undefined);
    });
  }

  it('takes 1,000 spans a second and answers others meanwhile', async () => {
    const span = (n: number) => ({
      traceId: n.toString(16).padStart(32, '0'),
      spanId: (n + 1).toString(16).padStart(16, '0'),
      startTimeUnixNano: `${Date.now() - 1000}000000`,
      endTimeUnixNano: `${Date.now()}000000`,
      attributes: [
        { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
        { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o-mini' } },
        { key: 'gen_ai.usage.input_tokens', value: { intValue: '10' } },
        { key: 'gen_ai.usage.output_tokens', value: { intValue: '10' } },
        { key: 'input.value', value: { stringValue: 'x'.repeat(1000) } },
      ],
    });
    const startedAt = performance.now();
    let slowestMs = 0;
    for (let batch = 0; batch < 40; batch += 1) {
      const spans = Array.from({ length: 500 }, (_, n) => span(1 + batch * 500 + n));
      const [answer, ms] = await Promise.all([
        fetch(`${app.origin}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${REPORTER}` },
          body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
        }),
        timeOf(() => fetch(`${app.origin}/healthz`)),
      ]);
      assert.equal(answer.status, 200);
      slowestMs = Math.max(slowestMs, ms);
    }
    const perSecond = 20_000 / ((performance.now() - startedAt) / 1000);
    console.log(
      `      ${Math.round(perSecond)} spans/s, others waited ${Math.round(slowestMs)} ms at most`,
    );
    assert(perSecond >= 1000, `${perSecond} spans/s`);
  });
});

async function timeOf(fn: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await fn();
  return performance.now() - startedAt;
}
