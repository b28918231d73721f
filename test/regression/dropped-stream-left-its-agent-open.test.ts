import assert from 'node:assert/strict';
import type * as Ai from 'ai';
import type * as AiSdkOpenAi from '@ai-sdk/openai';
import { TokenMeterInstrumentation, withAgent } from '../../src/index.ts';
import { AGENT_SCRIPTS } from '../support/agent-run.ts';
import { collectAll, collectUntil } from '../support/collect.ts';
import { loadTogether } from '../support/sdk-versions.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

describe('a stream of an agent that nobody reads', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation();
  });
  beforeEach(() => {
    telemetry.reset();
    server.playBy(() => AGENT_SCRIPTS[3] ?? AGENT_SCRIPTS[0]);
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  const hasEnded = (name: string): boolean =>
    telemetry.spans().some((span) => span.name === `invoke_agent ${name}`);

  it('ends it when a generator is dropped, and not while anyone has it', async () => {
    const run = (): AsyncGenerator<string> =>
      withAgent({ name: 'planner' }, async function* () {
        yield await Promise.resolve('High water');
        yield 'is at 3.';
      });
    let held: AsyncGenerator<string> | undefined = run();
    await held.next();
    await collectAll();
    assert.equal(hasEnded('planner'), false);
    await held.next();
    held = undefined;
    assert.ok(await collectUntil(() => hasEnded('planner')));
  });

  it('ends it when a stream of the AI SDK is dropped, and not while its text is read', async () => {
    const [ai, vendor] = loadTogether(['ai', '@ai-sdk/openai'], 'root') as [
      typeof Ai,
      typeof AiSdkOpenAi,
    ];
    instrumentation.instrument('ai', ai);
    const openai = vendor.createOpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const agent = (id: string): Ai.ToolLoopAgent =>
      new ai.ToolLoopAgent({ id, model: openai.chat('gpt-4o') });
    await (async () => void (await agent('dropped').stream({ prompt: 'Hi' })))();
    assert.ok(await collectUntil(() => hasEnded('dropped')));
    server.playBy(() => ({ silent: true }));
    const abort = new AbortController();
    const { textStream } = await agent('read').stream({ prompt: 'Hi', abortSignal: abort.signal });
    const reader = textStream[Symbol.asyncIterator]();
    await collectAll();
    assert.equal(hasEnded('read'), false);
    await reader.return?.();
    abort.abort();
    assert.ok(await collectUntil(() => hasEnded('read')));
  });
});
