import assert from 'node:assert/strict';
import {
  applyBudgets,
  stopBudgets,
  type BudgetEnvironment,
} from '../../src/budgets/budgets-in-force.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { voyage } from '../../src/providers/voyage/index.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs, loadEsm } from '../support/sdk-versions.ts';
import { onlyRecord } from '../support/watched-call.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

interface Embeddings {
  readonly data?: readonly object[];
}
interface Client {
  embed(request: object): PromiseLike<Embeddings> & {
    withRawResponse(): Promise<{ readonly rawResponse: { readonly status: number } }>;
  };
  contextualizedEmbed(request: object): Promise<object>;
  multimodalEmbed(request: object): PromiseLike<object>;
  rerank(request: object): PromiseLike<object>;
}
interface Voyage {
  readonly VoyageAIClient: new (options: object) => Client;
  readonly VoyageAIError: new () => Error;
}

const ENVIRONMENT: BudgetEnvironment = {
  isDecision: true,
  store: undefined,
  priceOf: () => undefined,
  identify: (call) => call,
};
const json = (body: object): Script => ({ body: JSON.stringify(body) });
const embeddings = (model: string): Script =>
  json({
    object: 'list',
    data: [{ object: 'embedding', embedding: [0.1], index: 0 }],
    model,
    usage: { total_tokens: 12 },
  });

for (const [title, load] of [
  ['ESM', loadEsm('voyageai')],
  ['CommonJS', loadCjs('voyageai')],
] as const) {
  describe(`voyageai, ${title}`, () => {
    let server: WireServer;
    let metering: Metering;
    let module: Voyage;
    let client: Client;
    before(async () => {
      server = await startWireServer();
      metering = startMetering();
      metering.on();
      module = (await load()) as Voyage;
      // Made before the package is patched.
      client = new module.VoyageAIClient({
        apiKey: 'test',
        environment: server.url,
        maxRetries: 0,
      });
      assert.equal(voyage.patch(module, metering.current), 'patched');
      assert.equal(voyage.patch(module, metering.current), 'already-patched');
    });
    after(async () => {
      metering.off();
      metering.close();
      await server.close();
    });

    async function recordOf(
      script: Script,
      call: () => PromiseLike<unknown>,
    ): Promise<UsageRecord> {
      server.play(script);
      await call();
      return await onlyRecord(metering);
    }
    const embed = (): ReturnType<Client['embed']> =>
      client.embed({ model: 'voyage-3.5', input: ['When is high tide?'] });

    it('embeddings, whose reply is unchanged', async () => {
      server.play(embeddings('voyage-3.5'));
      const reply = await embed();
      assert.equal(reply.data?.length, 1);
      assert.partialDeepStrictEqual(await onlyRecord(metering), {
        operation: 'embeddings',
        provider: 'voyageai',
        requestModel: 'voyage-3.5',
        responseModel: 'voyage-3.5',
        inputTokens: 12,
        tokenSource: 'provider',
        outcome: 'ok',
      });
    });

    it('embeddings by their raw response', async () => {
      server.play(embeddings('voyage-3.5'));
      const { rawResponse } = await embed().withRawResponse();
      assert.equal(rawResponse.status, 200);
      assert.equal((await onlyRecord(metering)).inputTokens, 12);
    });

    it('embeddings without usage, which are counted', async () => {
      const record = await recordOf(json({ data: [], model: 'voyage-3.5' }), embed);
      assert.ok((record.inputTokens ?? 0) > 0);
      assert.equal(record.tokenSource, 'estimated');
    });

    it('contextualized embeddings', async () => {
      const reply = json({
        data: [{ data: [{ embedding: [0.1], index: 0 }], index: 0 }],
        model: 'voyage-context-3',
        usage: { total_tokens: 30 },
      });
      const record = await recordOf(reply, () =>
        client.contextualizedEmbed({ model: 'voyage-context-3', inputs: [['When?', 'Twice.']] }),
      );
      assert.deepEqual([record.operation, record.inputTokens], ['embeddings', 30]);
    });

    it('multimodal embeddings', async () => {
      const content = [{ type: 'text', text: 'When is high tide?' }];
      const record = await recordOf(embeddings('voyage-multimodal-3.5'), () =>
        client.multimodalEmbed({ model: 'voyage-multimodal-3.5', inputs: [{ content }] }),
      );
      assert.deepEqual([record.operation, record.inputTokens], ['embeddings', 12]);
    });

    it('reranking', async () => {
      const reply = json({ data: [], model: 'rerank-2.5', usage: { total_tokens: 26 } });
      const record = await recordOf(reply, () =>
        client.rerank({ model: 'rerank-2.5', query: 'When?', documents: ['Twice.'] }),
      );
      assert.deepEqual([record.operation, record.inputTokens], ['rerank', 26]);
    });

    it('errors', async () => {
      const record = await recordOf({ status: 400, body: '{}' }, () =>
        assert.rejects(async () => await embed()),
      );
      assert.deepEqual([record.outcome, record.inputTokens], ['error', undefined]);
    });

    it("a call that a budget refuses, with the SDK's error", async () => {
      server.play(embeddings('voyage-3.5'));
      applyBudgets([{ id: 'b', window: 'day', limit: { tokens: 1 }, mode: 'block' }], ENVIRONMENT);
      try {
        await assert.rejects(
          async () => await embed(),
          (error) =>
            error instanceof module.VoyageAIError &&
            (error as { code?: unknown }).code === 'budget_exceeded',
        );
      } finally {
        await stopBudgets();
      }
      assert.equal((await server.served()).requests.length, 0);
      assert.equal((await onlyRecord(metering)).outcome, 'blocked');
    });
  });
}
