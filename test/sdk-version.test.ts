import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../src/index.ts';

/** The client of the openai SDK as far as it is patched, in one file. */
const KNOWN_SHAPE = `
class APIPromise extends Promise {
  constructor(responsePromise) { super((resolve) => resolve(null)); this.responsePromise = responsePromise; }
  static get [Symbol.species]() { return Promise; }
  asResponse() { return this.responsePromise.then(({ response }) => response); }
  then(...handlers) { return this.responsePromise.then((props) => this.client.parseResponseWithTimeout(this.client, props)).then(...handlers); }
}
class OpenAI {
  baseURL = 'https://api.openai.com/v1';
  post(path, options) {
    return this.request({ method: 'post', path, ...options });
  }
  request(options) {
    const promise = new APIPromise(this.makeRequest(options, null, undefined));
    promise.client = this;
    return promise;
  }
  async makeRequest(options) { return { options, response: {} }; }
  async parseResponseWithTimeout() {
    return { id: 'chatcmpl-1', model: 'gpt-9', choices: [{ index: 0, finish_reason: 'stop', message: {} }], usage: { prompt_tokens: 5, completion_tokens: 2 } };
  }
}
module.exports = { OpenAI };`;

const OTHER_SHAPE = 'module.exports = { OpenAI: class OpenAI {}, Configuration: class {} };';

interface FakeModule {
  readonly OpenAI: new () => { post(path: string, options: object): PromiseLike<unknown> };
}

describe('an SDK version that nobody tested', () => {
  let folder: string;
  let instrumentation: TokenMeterInstrumentation;
  const records: UsageRecord[] = [];
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => {
    const { code } = warning as Error & { code?: string };
    if (code?.startsWith('TOKEN_METER_UN') === true) warnings.push(warning.message);
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-sdk-'));
    process.on('warning', onWarning);
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
  });
  after(() => {
    process.off('warning', onWarning);
    instrumentation.disable();
    rmSync(folder, { recursive: true });
  });

  /** Loads a fake `openai` twice, from two places, and calls it once. */
  async function load(version: string, source: string): Promise<unknown> {
    warnings.length = 0;
    records.length = 0;
    let module: FakeModule | undefined;
    for (const place of ['a', 'b']) {
      const home = join(folder, `${version}-${place}`);
      const inside = join(home, 'node_modules', 'openai');
      mkdirSync(inside, { recursive: true });
      writeFileSync(
        join(inside, 'package.json'),
        JSON.stringify({ name: 'openai', version, main: 'index.js' }),
      );
      writeFileSync(join(inside, 'index.js'), source);
      module = createRequire(join(home, 'app.js'))('openai') as FakeModule;
    }
    const client = new (module as FakeModule).OpenAI();
    const reply = await client.post?.('/chat/completions', { body: { model: 'gpt-9' } });
    await flush();
    await turn();
    return reply;
  }

  for (const version of ['8.0.0', '8.1.0-beta.2']) {
    it(`${version}: metered where its shape fits, and told once`, async () => {
      await load(version, KNOWN_SHAPE);
      assert.deepEqual(
        records.map(({ inputTokens, outcome }) => ({ inputTokens, outcome })),
        [{ inputTokens: 5, outcome: 'ok' }],
      );
      assert.equal(warnings.length, 1, warnings.join('\n'));
      assert.match(
        warnings[0] ?? '',
        new RegExp(`openai ${version} is outside the tested majors 4 to 7`),
      );
    });
  }

  it('3.3.0: left alone where its shape does not fit, and told once', async () => {
    await load('3.3.0', OTHER_SHAPE);
    assert.equal(records.length, 0);
    assert.deepEqual(warnings, [
      'otel-token-meter: openai 3.3.0 has an unknown shape: its calls are not metered',
    ]);
  });

  it('7.99.0: within the range, nothing is said', async () => {
    await load('7.99.0', KNOWN_SHAPE);
    assert.equal(records.length, 1);
    assert.deepEqual(warnings, []);
  });
});
