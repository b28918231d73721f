import assert from 'node:assert/strict';
import type { Anthropic } from '@anthropic-ai/sdk';
import type { GoogleGenAI } from '@google/genai';
import type { Mistral } from '@mistralai/mistralai';
import type { OpenAI } from 'openai';
import { withUsageContext } from '../../src/context.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { slicedWorkDone } from '../../src/call/sliced-work.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { google } from '../../src/providers/google/index.ts';
import { groq } from '../../src/providers/groq/index.ts';
import { mistral } from '../../src/providers/mistral/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { together } from '../../src/providers/together/index.ts';
import { Prices } from '../../src/prices/prices.ts';
import { BODIES } from '../conformance/providers/openai/raw-bodies.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs, loadEsm } from '../support/sdk-versions.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

let ids = 0;
/** Results are remembered for the whole process. */
const newId = (): string => `result-${++ids}`;

const chatLine = (id: string, over: object = {}): object => ({
  id: `batch_req_${id}`,
  custom_id: `row-${id}`,
  response: {
    status_code: 200,
    request_id: 'req',
    body: {
      id,
      object: 'chat.completion',
      created: Date.parse('2026-11-20T08:00:00Z') / 1000,
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
      ...over,
    },
  },
  error: null,
});
const jsonl = (lines: readonly object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const file = (body: string): Script => ({
  headers: { 'content-type': 'application/octet-stream' },
  body,
});

describe('results of batches', () => {
  let server: WireServer;
  let metering: Metering;
  before(async () => {
    server = await startWireServer();
    metering = startMetering();
  });
  beforeEach(() => metering.on());
  afterEach(async () => {
    metering.off();
    await slicedWorkDone();
    await metering.take();
  });
  after(async () => {
    metering.close();
    await server.close();
  });
  const records = async (): Promise<readonly UsageRecord[]> => {
    await slicedWorkDone();
    return (await metering.take()).records;
  };

  describe('OpenAI', () => {
    const clientOf = async (load: () => Promise<unknown>): Promise<OpenAI> => {
      const module = await load();
      assert.notEqual(openai.patch(module, metering.current), 'unfit');
      const { OpenAI: Client } = module as { OpenAI: typeof OpenAI };
      return new Client({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    };

    for (const [build, load] of [
      ['7', loadCjs('openai')],
      ['4', loadEsm('openai/index.mjs', 'openai-4')],
    ] as const) {
      it(`openai ${build}: images, whose results name no model, have that of the batch`, async () => {
        const client = await clientOf(load);
        const fileId = `file-${newId()}`;
        const batch = { id: 'batch_1', object: 'batch', model: 'gpt-image-1' };
        const line = {
          id: newId(),
          custom_id: 'row',
          response: {
            status_code: 200,
            body: {
              created: 1_763_000_000,
              data: [{ b64_json: 'eA==' }],
              usage: { input_tokens: 50, output_tokens: 4000 },
            },
          },
          error: null,
        };
        const json = (body: object): Script => ({
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        server.play(json(batch), json({ ...batch, output_file_id: fileId }), file(jsonl([line])));
        assert.deepEqual(await client.batches.retrieve('batch_1'), batch);
        const { output_file_id: output = '' } = await client.batches.retrieve('batch_1');
        await (await client.files.content(output)).text();
        const [record, ...more] = await records();
        assert.equal(more.length, 0);
        assert.partialDeepStrictEqual(record, {
          operation: 'image_generation',
          requestModel: 'gpt-image-1',
          serviceTier: 'batch',
          outputTokens: 4000,
        });
        const prices = new Prices();
        await prices.load();
        assert.equal(record && prices.costOf(record), ((50 * 5 + 4000 * 40) / 1e6) * 0.5);
      });
    }

    for (const [build, load] of [
      ['7', loadCjs('openai')],
      ['4', loadEsm('openai/index.mjs', 'openai-4')],
    ] as const) {
      for (const [how, read] of BODIES.filter(([name]) => !name.startsWith('new Response'))) {
        it(`openai ${build}: one record a result, of a file read by ${how}`, async () => {
          const client = await clientOf(load);
          const [one, two] = [newId(), newId()];
          const text = jsonl([chatLine(one), chatLine(two)]);
          server.play(file(text));
          const content = await client.files.content('file-1');
          assert.equal(await read(content as unknown as Response), text);
          const made = await records();
          assert.deepEqual(
            made.map(({ responseId }) => responseId),
            [one, two],
          );
          const [record] = made;
          assert.partialDeepStrictEqual(record, {
            provider: 'openai',
            operation: 'chat',
            requestModel: 'gpt-4o-2024-08-06',
            inputTokens: 1000,
            outputTokens: 100,
            serviceTier: 'batch',
            outcome: 'ok',
            tokenSource: 'provider',
            durationMs: 0,
            attributes: {
              'token_meter.batch.id': 'file-1',
              'token_meter.batch.custom_id': `row-${one}`,
            },
          });
          assert.match(record?.time ?? '', /^2026-11-20T08:00:00/);
        });
      }
    }

    it('has half the price, and nobody as its user', async () => {
      const client = await clientOf(loadCjs('openai'));
      server.play(file(jsonl([chatLine(newId())])));
      await withUsageContext({ userId: 'the-operator', conversationId: 'night-job' }, async () => {
        await (await client.files.content('file-1')).text();
      });
      const [record] = await records();
      assert.deepEqual([record?.userId, record?.conversationId], [undefined, undefined]);
      const prices = new Prices();
      await prices.load();
      // (1,000 × 2.5 + 100 × 10) / 2
      assert.equal(record && prices.costOf(record), 0.00175);
    });

    it('has images of a tool as a record of their own', async () => {
      const client = await clientOf(loadCjs('openai'));
      const id = newId();
      const line = chatLine(id, {
        object: 'response',
        status: 'completed',
        usage: { input_tokens: 10, output_tokens: 5 },
        tools: [{ type: 'image_generation', model: 'gpt-image-1' }],
        output: [{ type: 'image_generation_call', id: 'ig_1' }],
        tool_usage: { image_gen: { input_tokens: 50, output_tokens: 4000 } },
      });
      server.play(file(jsonl([line, line])));
      await (await client.files.content('file-1')).text();
      const made = await records();
      assert.deepEqual(
        made.map(({ operation, outputTokens, serviceTier }) => [
          operation,
          outputTokens,
          serviceTier,
        ]),
        [
          ['chat', 5, 'batch'],
          ['image_generation', 4000, 'batch'],
        ],
      );
      assert.equal(made[1]?.attributes['token_meter.batch.id'], 'file-1');
    });

    it('takes the user that a response repeats', async () => {
      const client = await clientOf(loadCjs('openai'));
      const id = newId();
      const line = chatLine(id, {
        object: 'response',
        status: 'completed',
        created_at: 1_790_000_000,
        metadata: { user_id: 'alice', conversation_id: 'c-1' },
        usage: { input_tokens: 10, output_tokens: 5 },
        output: [{ type: 'web_search_call', action: { type: 'search', query: 'tide' } }],
      });
      server.play(file(jsonl([line])));
      await (await client.files.content('file-1')).text();
      const [record] = await records();
      assert.partialDeepStrictEqual(record, {
        responseId: id,
        userId: 'alice',
        conversationId: 'c-1',
        attributes: { 'token_meter.usage.web_searches': 1 },
      });
    });

    it('records a result once, however often and by however many it is fetched', async () => {
      const client = await clientOf(loadCjs('openai'));
      const ids = Array.from({ length: 50 }, newId);
      server.play(file(jsonl(ids.map((id) => chatLine(id)))));
      const fetchAll = async (): Promise<string> => (await client.files.content('file-1')).text();
      await Promise.all([fetchAll(), fetchAll()]);
      await fetchAll();
      const made = await records();
      assert.equal(made.length, ids.length);
      assert.deepEqual(new Set(made.map(({ responseId }) => responseId)), new Set(ids));
    });

    it('records what had arrived of a file that is left, and the rest when it is fetched again', async () => {
      const client = await clientOf(loadCjs('openai'));
      const ids = Array.from({ length: 40 }, newId);
      const text = jsonl(ids.map((id) => chatLine(id)));
      const half = Math.floor(text.length / 2);
      server.play({ ...file(''), pieces: [text.slice(0, half)], held: text.slice(half) });
      const content = await client.files.content('file-1');
      for await (const piece of content.body as unknown as AsyncIterable<Uint8Array>) {
        if (piece.length > 0) break;
      }
      const first = await records();
      assert.ok(first.length > 0 && first.length < ids.length, String(first.length));
      server.play(file(text));
      await (await client.files.content('file-1')).text();
      const rest = await records();
      const all = [...first, ...rest].map(({ responseId }) => responseId);
      assert.equal(all.length, ids.length);
      assert.deepEqual(new Set(all), new Set(ids));
    });

    it('records failed requests without a cost', async () => {
      const client = await clientOf(loadCjs('openai'));
      const line = {
        id: `batch_req_${newId()}`,
        custom_id: 'row',
        response: { status_code: 400, body: { error: { code: 'context_length_exceeded' } } },
        error: null,
      };
      const expired = {
        id: `batch_req_${newId()}`,
        custom_id: 'late',
        response: null,
        error: { code: 'batch_expired', message: 'secret words' },
      };
      server.play(file(jsonl([line, expired])));
      await (await client.files.content('file-2')).text();
      const made = await records();
      assert.deepEqual(
        made.map(({ outcome, errorType, tokenSource }) => [outcome, errorType, tokenSource]),
        [
          ['error', 'context_length_exceeded', undefined],
          ['error', 'batch_expired', undefined],
        ],
      );
      assert.ok(!JSON.stringify(made).includes('secret'));
    });

    it('records embeddings, which have no id of their own', async () => {
      const client = await clientOf(loadCjs('openai'));
      const body = { object: 'list', model: 'text-embedding-3-small', usage: { prompt_tokens: 7 } };
      const lines = [newId(), newId()].map((id) => ({
        id: `batch_req_${id}`,
        custom_id: id,
        response: { status_code: 200, body },
      }));
      server.play(file(jsonl(lines)));
      await (await client.files.content('file-3')).text();
      await (await client.files.content('file-3')).text();
      const made = await records();
      assert.deepEqual(
        made.map(({ operation, inputTokens }) => [operation, inputTokens]),
        [
          ['embeddings', 7],
          ['embeddings', 7],
        ],
      );
    });

    it('leaves every other file alone', async () => {
      const client = await clientOf(loadCjs('openai'));
      const others = [
        '',
        'ID3\u0000\u0001 an audio file',
        '{"prompt":"a training line"}\n'.repeat(3),
        '{"custom_id":"row","method":"POST","url":"/v1/chat/completions","body":{}}\n',
        '[1, 2, 3]',
        '{"broken": \n{"custom_id": "x", "response": {}}\n',
        'x'.repeat(100_000),
      ];
      for (const body of others) {
        server.play(file(body));
        assert.equal(await (await client.files.content('file-4')).text(), body);
      }
      assert.equal((await records()).length, 0);
    });

    it('reads on behind a line that is broken, and to the last one without a line break', async () => {
      const client = await clientOf(loadCjs('openai'));
      const ids = [newId(), newId(), newId()];
      const [one = '', two = '', three = ''] = ids.map((id) => JSON.stringify(chatLine(id)));
      server.play(file(`\uFEFF${one}\r\n\n{"custom_id": \nnull\n42\n${two}\n${three}`));
      await (await client.files.content('file-1')).text();
      const made = await records();
      assert.deepEqual(
        made.map(({ responseId }) => responseId),
        ids,
      );
    });

    it('takes a result of any shape, and leaks none of its text', async () => {
      const client = await clientOf(loadCjs('openai'));
      const odd = [
        { custom_id: newId(), response: { status_code: 200, body: null } },
        { custom_id: newId(), response: { status_code: '200', body: 'a secret text' } },
        { custom_id: newId(), response: { status_code: 200, body: { id: newId(), usage: -1 } } },
        { custom_id: newId(), error: 'a secret text' },
        { custom_id: newId(), response: { status_code: 500, body: { error: 'a secret text' } } },
      ];
      server.play(file(jsonl(odd)));
      await (await client.files.content('file-6')).text();
      const made = await records();
      assert.deepEqual(
        made.map(({ outcome, inputTokens }) => [outcome, inputTokens]),
        [
          ['ok', undefined],
          ['ok', undefined],
          ['ok', undefined],
          ['error', undefined],
          ['error', undefined],
        ],
      );
      assert.ok(!JSON.stringify(made).includes('secret'));
    });

    it('makes no records while metering is off, and has not forgotten them afterwards', async () => {
      const client = await clientOf(loadCjs('openai'));
      server.play(file(jsonl([chatLine(newId())])));
      metering.off();
      await (await client.files.content('file-1')).text();
      assert.equal((await records()).length, 0);
      metering.on();
      await (await client.files.content('file-1')).text();
      assert.equal((await records()).length, 1);
    });

    it('gives the caller a large file before it is read', async () => {
      const client = await clientOf(loadCjs('openai'));
      const lines = Array.from({ length: 3000 }, () => chatLine(newId()));
      server.play(file(jsonl(lines)));
      await (await client.files.content('file-5')).text();
      assert.ok(metering.recorded < lines.length, 'all were recorded on the path of the caller');
      assert.equal((await records()).length, lines.length);
    });
  });

  for (const [name, patch, load, exported] of [
    ['groq', groq, loadCjs('groq-sdk'), 'Groq'],
    ['together_ai', together, loadCjs('together-ai'), 'Together'],
  ] as const) {
    it(`${name}: the same lines, under its own name`, async () => {
      const module = (await load()) as Record<string, typeof OpenAI>;
      assert.notEqual(patch.patch(module, metering.current), 'unfit');
      const Client = module[exported];
      assert.ok(Client);
      const client = new Client({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
      const id = newId();
      server.play(file(jsonl([chatLine(id)])));
      await (await client.files.content('file-1')).text();
      const made = await records();
      assert.equal(made.length, 1);
      assert.partialDeepStrictEqual(made[0], {
        provider: name,
        responseId: id,
        serviceTier: 'batch',
        inputTokens: 1000,
      });
    });
  }

  describe('Anthropic', () => {
    const message = (id: string): object => ({
      id,
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: 'hi' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 2000, output_tokens: 300, service_tier: 'batch' },
    });
    const clientOf = async (): Promise<Anthropic> => {
      const module = await loadEsm('@anthropic-ai/sdk')();
      assert.notEqual(anthropic.patch(module, metering.current), 'unfit');
      const { Anthropic: Client } = module as { Anthropic: typeof Anthropic };
      return new Client({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    };
    const play = (lines: readonly object[]): void => {
      server.play(
        {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            id: 'msgbatch_1',
            processing_status: 'ended',
            results_url: `${server.url}/v1/messages/batches/msgbatch_1/results`,
          }),
        },
        { headers: { 'content-type': 'application/x-jsonl' }, body: jsonl(lines) },
      );
    };

    it('records each result as it is streamed, in all of its ends', async () => {
      const client = await clientOf();
      const id = newId();
      const lines = [
        { custom_id: `${id}-a`, result: { type: 'succeeded', message: message(id) } },
        {
          custom_id: `${id}-b`,
          result: {
            type: 'errored',
            error: { type: 'error', error: { type: 'invalid_request_error', message: 'no' } },
          },
        },
        { custom_id: `${id}-c`, result: { type: 'expired' } },
        { custom_id: `${id}-d`, result: { type: 'canceled' } },
      ];
      play(lines);
      const seen: unknown[] = [];
      for await (const result of await client.messages.batches.results('msgbatch_1')) {
        seen.push(result);
      }
      assert.deepEqual(seen, lines);
      const made = await records();
      assert.deepEqual(
        made.map(({ outcome, errorType, inputTokens, serviceTier }) => [
          outcome,
          errorType,
          inputTokens,
          serviceTier,
        ]),
        [
          ['ok', undefined, 2000, 'batch'],
          ['error', 'invalid_request_error', undefined, 'batch'],
          ['aborted', 'expired', undefined, 'batch'],
          ['aborted', 'canceled', undefined, 'batch'],
        ],
      );
      assert.partialDeepStrictEqual(made[0], {
        provider: 'anthropic',
        responseId: id,
        attributes: {
          'token_meter.batch.id': 'msgbatch_1',
          'token_meter.batch.custom_id': `${id}-a`,
        },
      });
      play(lines);
      for await (const result of await client.messages.batches.results('msgbatch_1')) {
        assert.ok(result);
      }
      assert.equal((await records()).length, 0);
    });
  });

  describe('Gemini', () => {
    it('records the results that a finished job holds', async () => {
      const module = await loadEsm('@google/genai')();
      assert.notEqual(google.patch(module, metering.current), 'unfit');
      const { GoogleGenAI: Client } = module as { GoogleGenAI: typeof GoogleGenAI };
      const client = new Client({ apiKey: 'test', httpOptions: { baseUrl: server.url } });
      const id = newId();
      const job = {
        name: `batches/${id}`,
        metadata: {
          name: `batches/${id}`,
          state: 'BATCH_STATE_SUCCEEDED',
          model: 'models/gemini-2.5-flash',
          endTime: '2026-11-20T09:00:00Z',
          updateTime: '2026-11-20T09:00:00Z',
          output: {
            inlinedResponses: {
              inlinedResponses: [
                {
                  metadata: { key: 'row-1', user_id: 'alice' },
                  response: {
                    responseId: id,
                    modelVersion: 'gemini-2.5-flash',
                    candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }],
                    usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 20 },
                  },
                },
                { error: { code: 3, message: 'no' } },
              ],
            },
          },
        },
      };
      server.play({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(job),
      });
      const first = await client.batches.get({ name: `batches/${id}` });
      await client.batches.get({ name: `batches/${id}` });
      assert.equal(first.dest?.inlinedResponses?.length, 2);
      const made = await records();
      assert.equal(made.length, 2);
      assert.partialDeepStrictEqual(made[0], {
        provider: 'gcp.gemini',
        operation: 'generate_content',
        requestModel: 'gemini-2.5-flash',
        responseId: id,
        userId: 'alice',
        inputTokens: 100,
        outputTokens: 20,
        serviceTier: 'batch',
        attributes: { 'token_meter.batch.id': `batches/${id}` },
      });
      assert.match(made[0]?.time ?? '', /^2026-11-20T09:00:00/);
      assert.partialDeepStrictEqual(made[1], { outcome: 'error', errorType: '3' });
    });
  });

  describe('Mistral', () => {
    for (const [version, load] of [
      ['2', loadEsm('@mistralai/mistralai')],
      ['1', loadCjs('@mistralai/mistralai', 'previous')],
    ] as const) {
      const clientOf = async (): Promise<Mistral> => {
        const module = (await load()) as { readonly Mistral: typeof Mistral };
        assert.notEqual(mistral.patch(module, metering.current), 'unfit');
        return new module.Mistral({ apiKey: 'test', serverURL: server.url });
      };
      const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> =>
        new Response(stream as never).text();

      it(`${version}: one record a result, of chats, embeddings and moderations`, async () => {
        const client = await clientOf();
        const [chat, embedding, moderation] = [newId(), newId(), newId()];
        const text = jsonl([
          chatLine(chat, { model: 'mistral-small-2603' }),
          chatLine(embedding, { object: 'list', model: 'mistral-embed', data: [] }),
          chatLine(moderation, {
            object: undefined,
            model: 'mistral-moderation-2411',
            results: [],
            usage: undefined,
          }),
        ]);
        server.play(file(text));
        const reader = (await client.files.download({ fileId: 'file-1' })).getReader();
        let read = '';
        for (let step = await reader.read(); !step.done; step = await reader.read()) {
          read += Buffer.from(step.value).toString();
        }
        assert.equal(read, text);
        const made = await records();
        assert.deepEqual(
          made.map(({ responseId, operation, inputTokens }) => [
            responseId,
            operation,
            inputTokens,
          ]),
          [
            [chat, 'chat', 1000],
            [embedding, 'embeddings', 1000],
            [moderation, 'moderation', undefined],
          ],
        );
        assert.partialDeepStrictEqual(made[0], {
          provider: 'mistral_ai',
          requestModel: 'mistral-small-2603',
          serviceTier: 'batch',
          attributes: { 'token_meter.batch.id': 'file-1' },
        });
      });

      it(`${version}: other files are passed through, and pages are no results`, async () => {
        const client = await clientOf();
        const pages = chatLine(newId(), { pages: [], usage_info: { pages_processed: 3 } });
        for (const text of ['%PDF-1.7', jsonl([pages])]) {
          server.play(file(text));
          const stream = await client.files.download({ fileId: 'file-2' });
          assert.equal(await textOf(stream), text);
        }
        assert.deepEqual(await records(), []);
      });
    }

    it('2: results that stand in the job, once however often it is looked at', async () => {
      const module = (await loadEsm('@mistralai/mistralai')()) as { Mistral: typeof Mistral };
      mistral.patch(module, metering.current);
      const client = new module.Mistral({ apiKey: 'test', serverURL: server.url });
      const id = newId();
      const job = {
        id: 'job-1',
        object: 'batch',
        input_files: [],
        endpoint: '/v1/chat/completions',
        errors: [],
        status: 'SUCCESS',
        created_at: 1_790_000_000,
        total_requests: 1,
        completed_requests: 1,
        succeeded_requests: 1,
        failed_requests: 0,
        outputs: [chatLine(id)],
      };
      server.play({ body: JSON.stringify(job) });
      await client.batch.jobs.get({ jobId: 'job-1', inline: true });
      await client.batch.jobs.get({ jobId: 'job-1', inline: true });
      const [record, ...more] = await records();
      assert.deepEqual(more, []);
      assert.partialDeepStrictEqual(record, {
        responseId: id,
        inputTokens: 1000,
        attributes: { 'token_meter.batch.id': 'job-1' },
      });
    });
  });
});
