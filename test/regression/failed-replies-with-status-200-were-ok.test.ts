import assert from 'node:assert/strict';
import type { CallShape } from '../../src/domain/call-shape.ts';
import { chat as cohereChat, legacyChat } from '../../src/providers/cohere/shapes.ts';
import { chat as mistralChat } from '../../src/providers/mistral/shapes.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import { completions, embeddings } from '../../src/providers/openai/completions.ts';
import { responses } from '../../src/providers/openai/responses.ts';
import { generate } from '../../src/providers/vercel-ai/language-model.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { onlyRecord } from '../support/watched-call.ts';

const GATEWAY = { error: { code: 502, message: 'the prompt was: when is high tide?' } };

const REPLIES: Readonly<Record<string, readonly [CallShape, object, string]>> = {
  'Cohere v2': [cohereChat, { id: 'c1', finishReason: 'ERROR', message: {} }, 'ERROR'],
  'Cohere v1': [legacyChat, { text: '', finishReason: 'ERROR_TOXIC' }, 'ERROR_TOXIC'],
  Mistral: [mistralChat, { choices: [{ index: 0, message: {}, finishReason: 'error' }] }, 'error'],
  'OpenRouter, chat': [chatCompletions(), GATEWAY, '502'],
  'OpenRouter, responses': [responses, GATEWAY, '502'],
  'completions of a gateway': [
    completions,
    { error: { type: 'overloaded_error' } },
    'overloaded_error',
  ],
  'embeddings of a gateway': [embeddings, { error: 'no such model' }, 'error'],
  'a code that quotes content': [
    chatCompletions(),
    { error: { code: 'When is high tide?' } },
    'error',
  ],
  'AI SDK': [generate, { content: [], finishReason: { unified: 'error' }, usage: {} }, 'error'],
};

const WELL: Readonly<Record<string, readonly [CallShape, object]>> = {
  'error: null': [responses, { id: 'r1', status: 'completed', error: null, output: [] }],
  MAX_TOKENS: [cohereChat, { id: 'c1', finishReason: 'MAX_TOKENS', message: {} }],
};

describe('a reply with status 200 that reports a failure', () => {
  let metering: Metering;
  before(() => {
    metering = startMetering();
    metering.on();
  });
  after(() => {
    metering.off();
    metering.close();
  });

  async function record(shape: CallShape, reply: object): Promise<readonly unknown[]> {
    metering.current()?.start({ provider: 'openai', shape, request: {} })?.complete(reply);
    const { outcome, errorType } = await onlyRecord(metering);
    return [outcome, errorType];
  }

  for (const [title, [shape, reply, type]] of Object.entries(REPLIES)) {
    it(`is an error: ${title}`, async () => {
      assert.deepEqual(await record(shape, reply), ['error', type]);
    });
  }
  for (const [title, [shape, reply]] of Object.entries(WELL)) {
    it(`and one that does not is none: ${title}`, async () => {
      assert.deepEqual(await record(shape, reply), ['ok', undefined]);
    });
  }
});
