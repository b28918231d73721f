import assert from 'node:assert/strict';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { OpenAI } from 'openai';
import {
  flush,
  recordUsage,
  TokenMeterInstrumentation,
  withAgent,
  withUsageContext,
} from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: {} };
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'High tide?' }] };

/** Who makes the spans was decided by what is enabled, not by the switches of the call. */
describe('of two instrumentations the newest, while its switch is off', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let client: OpenAI;
  const made: { name: string; instrumentation: TokenMeterInstrumentation }[] = [];
  const exporters = new Map<string, InMemorySpanExporter>();
  const records: string[] = [];

  function instrument(name: string): TokenMeterInstrumentation {
    const exporter = new InMemorySpanExporter();
    const instrumentation = new TokenMeterInstrumentation({
      onUsage: ({ team }) => records.push(`${name} ${team}`),
    });
    instrumentation.setTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
    );
    instrumentation.instrument('openai', OpenAI);
    exporters.set(name, exporter);
    made.push({ name, instrumentation });
    return instrumentation;
  }

  /** Who records and who makes the spans: `records | spans`. */
  async function whoOf(fn: () => Promise<unknown>): Promise<string> {
    await fn();
    await flush();
    const spans = [...exporters].flatMap(([name, exporter]) =>
      exporter.getFinishedSpans().map((span) => `${name} ${span.name}`),
    );
    for (const exporter of exporters.values()) exporter.reset();
    return `${records.splice(0).toSorted().join(', ')} | ${spans.toSorted().join(', ')}`;
  }

  const call = async (): Promise<void> => {
    server.play(chatPlain(WIRE));
    await client.chat.completions.create(REQUEST);
  };

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  });
  after(async () => {
    for (const { instrumentation } of made) instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  it('leaves spans of calls and steps to the one that is on', async () => {
    instrument('old');
    const newest = instrument('new');
    const ofSea = () => withUsageContext({ team: 'sea' }, () => withAgent({ name: 'a' }, call));
    const both = 'new sea, old sea | new chat gpt-4o, new invoke_agent a';
    const oldAlone = 'old sea | old chat gpt-4o, old invoke_agent a';
    assert.equal(await whoOf(ofSea), both);
    newest.applySettings({ teams: { sea: { enabled: false } } });
    assert.equal(await whoOf(ofSea), oldAlone);
    assert.equal(
      await whoOf(() => recordUsage({ ...REQUEST, team: 'sea', inputTokens: 1, outputTokens: 1 })),
      'old sea | old chat gpt-4o',
      'the team of the call, not that of the Context',
    );
    assert.equal(
      await whoOf(() => withUsageContext({ team: 'land' }, call)),
      'new land, old land | new chat gpt-4o',
    );
    newest.applySettings({ enabled: false, teams: {} });
    assert.equal(await whoOf(ofSea), oldAlone);
    newest.applySettings({ enabled: true });
    assert.equal(await whoOf(ofSea), both);
  });

  it('counts a call once that it and the other one see', async () => {
    const [, newest] = made;
    newest?.instrumentation.applySettings({ teams: { sea: { enabled: false } } });
    server.play(chatPlain(WIRE));
    const reply = await withUsageContext({ team: 'sea' }, () =>
      client.chat.completions.create(REQUEST),
    );
    const again = { ...REQUEST, team: 'land', inputTokens: 10, outputTokens: 4 };
    await flush();
    records.length = 0;
    assert.equal(await recordUsage({ ...again, responseId: reply.id }), undefined);
    assert.deepEqual(records, []);
  });
});
