import assert from 'node:assert/strict';
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation, type UsageRecord } from 'otel-token-meter';
import { ChatService } from '../../../example-app/chat/chat-service.ts';
import {
  DEMO_MODELS,
  startDemoModel,
  type DemoModel,
} from '../../../example-app/demo-model/server.ts';
import { chatRoutes } from '../../../example-app/routes/chat.ts';
import { type ServedApp, serveApp } from '../../support/app.ts';
import { startTelemetry, type TestTelemetry } from '../../support/telemetry.ts';
import { until } from '../../support/until.ts';

const HELLO = { user_id: 'alice', model: 'gpt-4o', message: 'Hello' };

describe('POST /api/chat', () => {
  let app: ServedApp;
  let demo: DemoModel;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  const records: UsageRecord[] = [];

  before(async () => {
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    instrumentation.instrument('openai', OpenAI);
    demo = await startDemoModel({ chunkPauseMs: 5 });
    app = await serve(demo.url);
  });
  beforeEach(() => {
    records.length = 0;
  });
  after(async () => {
    await app.close();
    await demo.close();
    instrumentation.disable();
    await telemetry.close();
  });

  async function serve(baseURL: string): Promise<ServedApp> {
    const client = new OpenAI({ apiKey: 'sk-secret', baseURL, maxRetries: 0 });
    return await serveApp({
      routes: chatRoutes({
        chat: new ChatService(client),
        role: 'anyone',
        models: DEMO_MODELS,
        demo: true,
      }),
    });
  }

  async function post(body: unknown, to: ServedApp = app, signal?: AbortSignal): Promise<Response> {
    return await fetch(`${to.origin}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: signal ?? null,
    });
  }

  it('answers, remembers the conversation, and each call is one record', async () => {
    const first = (await (await post(HELLO)).json()) as Record<string, string>;
    assert.match(first['message'] ?? '', /You said: “Hello”/);
    const conversation_id = first['conversation_id'];
    const second = await post({ ...HELLO, conversation_id, message: 'And again' });
    assert.equal(second.status, 200);
    await flush();
    assert.equal(records.length, 2);
    for (const record of records) {
      assert.partialDeepStrictEqual(record, {
        userId: 'alice',
        conversationId: conversation_id,
        requestModel: 'gpt-4o',
        outcome: 'ok',
        tokenSource: 'provider',
      });
    }
    assert.equal(records[0]?.responseId, first['response_id']);
    // the second call sent the first exchange again
    assert.ok((records[1]?.inputTokens ?? 0) > (records[0]?.inputTokens ?? 0) + 20);
  });

  it('streams events', async () => {
    const answer = await post({ ...HELLO, stream: true });
    assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
    const events = [...(await answer.text()).matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(
      ([, name, data = '']) => ({ name, data: JSON.parse(data) as Record<string, string> }),
    );
    assert.equal(events[0]?.name, 'start');
    assert.equal(events.at(-1)?.name, 'end');
    const pieces = events.filter(({ name }) => name === 'piece').map(({ data }) => data['text']);
    assert.ok(pieces.length > 5);
    assert.equal(pieces.join(''), events.at(-1)?.data['message']);
    await flush();
    assert.equal(records[0]?.outcome, 'ok');
    assert.equal(records[0]?.tokenSource, 'counted');
  });

  it('records a reader that leaves as an aborted call', async () => {
    const leaving = new AbortController();
    const answer = await post({ ...HELLO, stream: true }, app, leaving.signal);
    const reader = answer.body?.getReader();
    await reader?.read();
    leaving.abort();
    await until(() => records.length === 1);
    assert.equal(records[0]?.outcome, 'aborted');
  });

  it('says what is wrong with a request', async () => {
    for (const [body, status, code] of [
      ['{', 400, 'invalid_json'],
      [{}, 422, 'invalid_request'],
      [{ ...HELLO, message: '' }, 422, 'invalid_request'],
      [{ ...HELLO, message: 7 }, 422, 'invalid_request'],
      [{ ...HELLO, temperature: 1 }, 422, 'invalid_request'],
      [{ ...HELLO, user_id: 'x'.repeat(300) }, 422, 'invalid_request'],
      [{ ...HELLO, message: 'x'.repeat(70_000) }, 413, undefined],
      [{ ...HELLO, model: 'no-such-model' }, 422, 'unknown_model'],
      [{ ...HELLO, model: 'no-such-model', stream: true }, 422, 'unknown_model'],
    ] as const) {
      const answer = await post(body);
      assert.equal(answer.status, status, JSON.stringify(body).slice(0, 80));
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      assert.equal(((await answer.json()) as { code?: string }).code, code);
    }
  });

  it('tells nothing of a provider that cannot be reached but that', async () => {
    const unreachable = await serve('http://127.0.0.1:1/v1');
    try {
      const answer = await post(HELLO, unreachable);
      const text = await answer.text();
      assert.equal(answer.status, 502);
      assert.match(text, /could not be reached/);
      assert.doesNotMatch(text, /127\.0\.0\.1|sk-secret|node_modules/);
    } finally {
      await unreachable.close();
    }
  });
});
