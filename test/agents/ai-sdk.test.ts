import type * as Ai from 'ai';
import type * as AiSdkOpenAi from '@ai-sdk/openai';
import { z } from 'zod';
import assert from 'node:assert/strict';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../../src/index.ts';
import { AGENT_SCRIPTS, agreeWithGolden, streamedAgentScripts } from '../support/agent-run.ts';
import { type InstalledIn, loadTogether } from '../support/sdk-versions.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const VERSIONS: readonly (readonly [version: string, place: InstalledIn])[] = [
  ['7', 'root'],
  ['6', 'previous'],
  ['5', 'ai-5'],
];

describe('agents of the AI SDK', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });
  beforeEach(async () => {
    // Records of the test before may still be on their way.
    await flush();
    records = [];
    telemetry.reset();
  });

  for (const [version, place] of VERSIONS) {
    /** `ask` gets the planner. */
    const run = async (
      scripts: typeof AGENT_SCRIPTS,
      ask: (planner: Ai.ToolLoopAgent) => Promise<string>,
    ): Promise<void> => {
      const [ai, vendor] = loadTogether(['ai', '@ai-sdk/openai'], place) as [
        typeof Ai,
        typeof AiSdkOpenAi,
      ];
      instrumentation.instrument('ai', ai);
      instrumentation.instrument('@ai-sdk/openai', vendor);
      const openai = vendor.createOpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
      const model = openai.chat('gpt-4o');
      const Agent = ai.Experimental_Agent;
      const named = (id: string): object =>
        version === '5' ? { experimental_telemetry: { functionId: id } } : { id };
      const reader = new Agent({ ...named('reader'), model } as never);
      const tools = {
        search: ai.tool({
          description: 'Asks the reader',
          inputSchema: z.object({ query: z.string() }),
          execute: async ({ query }) => (await reader.generate({ prompt: query })).text,
        }),
        add: ai.tool({
          inputSchema: z.object({ a: z.number(), b: z.number() }),
          execute: ({ a, b }) => a + b,
        }),
      };
      const { execute } = tools.search;
      const planner = new Agent({
        ...named('planner'),
        model,
        tools,
        stopWhen: ai.stepCountIs(5),
      } as never);
      server.play(...scripts);
      assert.equal(await ask(planner as never), 'High water is at 3.');
      assert.equal(tools.search.execute, execute, 'the tools of the application stay as they are');
      await agreeWithGolden('ai-sdk', telemetry, records);
    };

    it(`version ${version}: tools of a class, and tools added later, as without metering`, async () => {
      const [ai, vendor] = loadTogether(['ai', '@ai-sdk/openai'], place) as [
        typeof Ai,
        typeof AiSdkOpenAi,
      ];
      instrumentation.instrument('ai', ai);
      instrumentation.instrument('@ai-sdk/openai', vendor);
      const openai = vendor.createOpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
      class Search {
        readonly inputSchema = z.object({ query: z.string() });
        readonly #found = 'Twice a day.';
        asked = 0;
        execute(): string {
          this.asked += 1;
          return this.#found;
        }
      }
      const search = new Search();
      const tools: Record<string, unknown> = { search };
      const agent = new ai.Experimental_Agent({ model: openai.chat('gpt-4o'), tools } as never);
      const asked = async (): Promise<readonly string[]> => {
        const [first, , , last] = AGENT_SCRIPTS as never as (typeof AGENT_SCRIPTS)[0][];
        server.play(first as never, last as never);
        const { steps } = await agent.generate({ prompt: 'When is high water?' });
        const results = steps.flatMap(({ content }) =>
          content.filter(({ type }) => type === 'tool-result'),
        );
        assert.partialDeepStrictEqual(results, [{ output: 'Twice a day.' }]);
        const [request] = (await server.served()).requests;
        const body = request?.body as { tools: { function: { name: string } }[] } | undefined;
        return (body?.tools ?? []).map(({ function: { name } }) => name);
      };
      assert.deepEqual(await asked(), ['search']);
      assert.equal(search.asked, 1);
      assert.equal((agent as unknown as { tools: typeof tools }).tools, tools);
      tools['add'] = { inputSchema: z.object({}), execute: () => 3 };
      assert.deepEqual(await asked(), ['search', 'add']);
    });

    it(`version ${version}: a run with two tools and a sub-agent`, async () => {
      await run(AGENT_SCRIPTS, async (planner) => {
        return (await planner.generate({ prompt: 'When is high water?' })).text;
      });
    });

    it(`version ${version}: the same as a stream, which lasts until it is read`, async () => {
      await run(streamedAgentScripts({ wholeSubAgent: true }), async (planner) => {
        const result = await planner.stream({ prompt: 'When is high water?' });
        let text = '';
        for await (const part of result.textStream) text += part;
        return text;
      });
      const planner = telemetry.spans().find(({ name }) => name === 'invoke_agent planner');
      const last = telemetry.spans().findLast(({ name }) => name === 'chat gpt-4o');
      assert.ok(planner !== undefined && last !== undefined);
      assert.ok(
        planner.endTime[0] * 1e9 + planner.endTime[1] >=
          last.startTime[0] * 1e9 + last.startTime[1],
      );
    });
  }
});
