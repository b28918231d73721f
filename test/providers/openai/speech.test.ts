import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as GroqModule from 'groq-sdk';
import type * as OpenAiModule from 'openai';
import type * as TogetherModule from 'together-ai';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { groq } from '../../../src/providers/groq/index.ts';
import { openai } from '../../../src/providers/openai/index.ts';
import { together } from '../../../src/providers/together/index.ts';
import { collectUntil } from '../../support/collect.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import { onlyRecord } from '../../support/watched-call.ts';
import {
  sse,
  startWireServer,
  type Script,
  type WireServer,
} from '../../support/wire/wire-server.ts';

/** The start of an MP3 file, and bytes that are no UTF-8. */
const AUDIO = new Uint8Array([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 0xff, 0xfb, 0x90, 0x64, 0xc0]);
const AUDIO_PIECES: Script = {
  headers: { 'content-type': 'audio/mpeg' },
  pieces: [AUDIO, AUDIO, AUDIO],
};
/** Ten characters, of which one has two UTF-16 units. */
const TEXT = 'High tide🌊';

/** Ways of reading audio to its end; each gives the bytes. */
const READERS: readonly (readonly [string, (response: Response) => Promise<Uint8Array>])[] = [
  ['arrayBuffer()', async (response) => new Uint8Array(await response.arrayBuffer())],
  ['blob()', async (response) => new Uint8Array(await (await response.blob()).arrayBuffer())],
  ['body', (response) => bytesOf(response.body as unknown as AsyncIterable<Uint8Array>)],
];

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

describe('speech, moderations and other calls without text in their reply', () => {
  let server: WireServer;
  let metering: Metering;
  before(async () => {
    server = await startWireServer();
    metering = startMetering();
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  async function recordOf(script: Script, call: () => Promise<unknown>): Promise<UsageRecord> {
    server.play(script);
    await call();
    return await onlyRecord(metering);
  }

  for (const [version, load] of [
    ['7', loadEsm('openai')],
    ['6', loadCjs('openai', 'openai-6')],
    ['5', loadCjs('openai', 'openai-5')],
    ['4', loadCjs('openai', 'openai-4')],
  ] as const) {
    describe(`openai ${version}`, () => {
      let client: OpenAiModule.OpenAI;
      before(async () => {
        const module = (await load()) as typeof OpenAiModule;
        openai.patch(module, metering.current);
        client = new module.OpenAI({ baseURL: server.url, apiKey: 'test', maxRetries: 0 });
      });
      const request = { model: 'tts-1', voice: 'ash', input: TEXT } as const;

      for (const [way, read] of READERS) {
        it(`audio read by ${way} is unchanged, and billed by the character`, async () => {
          server.play(AUDIO_PIECES);
          const response = await client.audio.speech.create(request);
          assert.equal(metering.recorded, 0, 'the call ends with its body');
          const bytes = await read(response as unknown as Response);
          assert.deepEqual(bytes, new Uint8Array([...AUDIO, ...AUDIO, ...AUDIO]));
          const record = await onlyRecord(metering);
          assert.partialDeepStrictEqual(record, {
            operation: 'speech',
            requestModel: 'tts-1',
            outcome: 'ok',
            tokenSource: 'provider',
          });
          assert.equal(record.inputTokens, undefined);
          assert.equal(record.attributes['token_meter.usage.input_characters'], 10);
        });
      }

      it('a raw response', async () => {
        const record = await recordOf(AUDIO_PIECES, async () => {
          const response = await client.audio.speech.create(request).asResponse();
          assert.equal((await response.arrayBuffer()).byteLength, 3 * AUDIO.length);
        });
        assert.equal(record.outcome, 'ok');
        assert.equal(record.attributes['token_meter.usage.input_characters'], 10);
      });

      it('audio that breaks off is aborted: its text was sent all the same', async () => {
        const record = await recordOf({ ...AUDIO_PIECES, cut: true }, async () => {
          const response = await client.audio.speech.create(request);
          await assert.rejects(response.arrayBuffer());
        });
        assert.equal(record.outcome, 'aborted');
        assert.equal(record.attributes['token_meter.usage.input_characters'], 10);
      });

      it('an error has no characters', async () => {
        const record = await recordOf({ status: 400, body: '{}' }, () =>
          assert.rejects(async () => await client.audio.speech.create(request)),
        );
        assert.equal(record.outcome, 'error');
        assert.equal(record.attributes['token_meter.usage.input_characters'], undefined);
      });

      it('events end with tokens, which take the place of characters', async () => {
        const usage = { input_tokens: 4, output_tokens: 120, total_tokens: 124 };
        const pieces = [
          sse({ type: 'speech.audio.delta', audio: 'SUQz' }),
          sse({ type: 'speech.audio.done', usage }),
        ];
        const record = await recordOf({ pieces }, async () => {
          const response = await client.audio.speech.create({
            ...request,
            model: 'gpt-4o-mini-tts',
            // @ts-ignore -- older versions have no such field
            stream_format: 'sse',
          });
          assert.match(await response.text(), /speech.audio.done/);
        });
        assert.partialDeepStrictEqual(record, {
          outcome: 'ok',
          inputTokens: 4,
          outputTokens: 120,
          attributes: { 'gen_ai.usage.audio.output_tokens': 120 },
        });
        assert.equal(record.attributes['token_meter.usage.input_characters'], undefined);
      });

      it('a moderation has neither tokens nor a count of them', async () => {
        const reply = { id: 'modr-1', model: 'omni-moderation-2024-09-26', results: [{}] };
        const record = await recordOf({ body: JSON.stringify(reply) }, () =>
          client.moderations.create({ input: TEXT }),
        );
        assert.partialDeepStrictEqual(record, {
          operation: 'moderation',
          responseId: 'modr-1',
          responseModel: 'omni-moderation-2024-09-26',
          outcome: 'ok',
        });
        assert.deepEqual([record.inputTokens, record.tokenSource], [undefined, undefined]);
      });
    });
  }

  it('openai 7: a decision has the tokens that it reports', async () => {
    const module = (await loadEsm('openai')()) as typeof OpenAiModule;
    openai.patch(module, metering.current);
    const client = new module.OpenAI({ baseURL: server.url, apiKey: 'test', maxRetries: 0 });
    const reply = {
      model: 'gpt-5.1-2026-11-01',
      answers: [{ type: 'predicate', name: 'is_tide', probability: 0.9 }],
      usage: {
        input_tokens: 120,
        input_tokens_details: { cached_tokens: 64, cache_write_tokens: 0 },
        output_tokens: 8,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 128,
      },
    };
    const record = await recordOf({ body: JSON.stringify(reply) }, () =>
      client.decisions.create({
        model: 'gpt-5.1',
        input: TEXT,
        questions: [{ type: 'predicate', name: 'is_tide', description: 'About tides?' }],
      } as never),
    );
    assert.partialDeepStrictEqual(record, {
      operation: 'decision',
      requestModel: 'gpt-5.1',
      responseModel: 'gpt-5.1-2026-11-01',
      inputTokens: 120,
      cacheReadTokens: 64,
      outputTokens: 8,
      reasoningTokens: 2,
      tokenSource: 'provider',
      outcome: 'ok',
    });
  });

  it('openai: audio piped into a file or a reply', async () => {
    const module = (await loadCjs('openai')()) as typeof OpenAiModule;
    openai.patch(module, metering.current);
    const client = new module.OpenAI({ baseURL: server.url, apiKey: 'test' });
    const record = await recordOf(AUDIO_PIECES, async () => {
      const { body } = await client.audio.speech.create({
        model: 'tts-1',
        voice: 'ash',
        input: 'x',
      });
      const piped = Readable.fromWeb(body as never);
      assert.equal((await bytesOf(piped as AsyncIterable<Uint8Array>)).length, 3 * AUDIO.length);
    });
    assert.equal(record.outcome, 'ok');
  });

  it('openai: audio that is dropped unread ends when it is collected', async () => {
    const module = (await loadCjs('openai')()) as typeof OpenAiModule;
    openai.patch(module, metering.current);
    const client = new module.OpenAI({ baseURL: server.url, apiKey: 'test' });
    server.play(AUDIO_PIECES);
    const drop = async (): Promise<void> => {
      await client.audio.speech.create({ model: 'tts-1', voice: 'ash', input: 'x' });
    };
    let dropped = 0;
    // A frame of V8's interpreter may keep the last reply for as long as it waits.
    do {
      await drop();
      dropped += 1;
    } while (!(await collectUntil(() => metering.recorded > 0)) && dropped < 3);
    assert.ok(metering.recorded > 0, 'never collected');
    metering.shutdown();
    const { records } = await metering.take();
    assert.equal(records.length, dropped);
    assert.equal(records[0]?.outcome, 'aborted');
  });

  it('openai: audio that nobody reads ends as aborted', async () => {
    const module = (await loadCjs('openai')()) as typeof OpenAiModule;
    openai.patch(module, metering.current);
    const client = new module.OpenAI({ baseURL: server.url, apiKey: 'test' });
    server.play(AUDIO_PIECES);
    await client.audio.speech.create({ model: 'tts-1', voice: 'ash', input: 'x' });
    await sleep(5);
    assert.equal(metering.recorded, 0);
    metering.shutdown();
    assert.equal((await onlyRecord(metering)).outcome, 'aborted');
  });

  describe('groq', () => {
    let client: GroqModule.Groq;
    before(async () => {
      const module = (await loadCjs('groq-sdk')()) as typeof GroqModule;
      groq.patch(module, metering.current);
      client = new module.Groq({ baseURL: server.url, apiKey: 'test' });
    });

    it('speech', async () => {
      const record = await recordOf(AUDIO_PIECES, async () => {
        const response = await client.audio.speech.create({
          model: 'playai-tts',
          voice: 'x',
          input: TEXT,
        });
        await response.arrayBuffer();
      });
      assert.deepEqual([record.provider, record.operation], ['groq', 'speech']);
      assert.equal(record.attributes['token_meter.usage.input_characters'], 10);
    });

    it('a transcription, by the length of its audio where the reply has it', async () => {
      const transcribe = (): Promise<unknown> =>
        client.audio.transcriptions.create({
          model: 'whisper-large-v3',
          file: new File(['RIFF'], 'x.wav'),
        });
      const verbose = { text: 'Twice.', duration: 12.5, x_groq: { id: 'r1' } };
      const record = await recordOf({ body: JSON.stringify(verbose) }, transcribe);
      assert.equal(record.attributes['token_meter.usage.audio_input_seconds'], 12.5);
      const short = await recordOf(
        { body: JSON.stringify({ ...verbose, duration: 2 }) },
        transcribe,
      );
      assert.equal(
        short.attributes['token_meter.usage.audio_input_seconds'],
        10,
        'billed at least',
      );
      const plain = await recordOf({ body: JSON.stringify({ text: 'Twice.' }) }, transcribe);
      assert.equal(plain.tokenSource, undefined, 'unknown is not 0');
      assert.equal(plain.requestModel, 'whisper-large-v3');
    });
  });

  describe('together', () => {
    let client: TogetherModule.Together;
    before(async () => {
      const module = (await loadCjs('together-ai')()) as typeof TogetherModule;
      together.patch(module, metering.current);
      client = new module.Together({ baseURL: server.url, apiKey: 'test' });
    });

    it('images', async () => {
      const reply = { id: 'i1', model: 'm', object: 'list', data: [{ url: 'x' }, { url: 'y' }] };
      const record = await recordOf({ body: JSON.stringify(reply) }, () =>
        client.images.generate({ model: 'black-forest-labs/FLUX.1-schnell', prompt: 'x', n: 2 }),
      );
      assert.deepEqual([record.provider, record.operation], ['together_ai', 'image_generation']);
      assert.equal(record.attributes['token_meter.usage.generated_images'], 2);
    });

    it('reranking', async () => {
      const usage = { prompt_tokens: 40, completion_tokens: 0, total_tokens: 40 };
      const reply = { id: 'r1', model: 'Salesforce/Llama-Rank-V1', results: [], usage };
      const record = await recordOf({ body: JSON.stringify(reply) }, () =>
        client.rerank.create({ model: 'Salesforce/Llama-Rank-V1', query: 'x', documents: ['y'] }),
      );
      assert.deepEqual([record.operation, record.inputTokens], ['rerank', 40]);
    });

    it('streamed speech', async () => {
      const pieces = [
        sse({ type: 'conversation.item.audio_output.delta', delta: 'SUQz' }),
        sse('[DONE]'),
      ];
      const record = await recordOf({ pieces }, async () => {
        const stream = await client.audio.speech.create({
          model: 'cartesia/sonic',
          voice: 'x',
          input: TEXT,
          stream: true,
        });
        for await (const _event of stream as unknown as AsyncIterable<unknown>);
      });
      assert.deepEqual([record.operation, record.outcome], ['speech', 'ok']);
      assert.equal(record.attributes['token_meter.usage.input_characters'], 10);
    });
  });
});
