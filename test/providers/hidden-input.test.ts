import assert from 'node:assert/strict';
import { messages } from '../../src/providers/anthropic/messages.ts';
import { converse } from '../../src/providers/bedrock/converse.ts';
import { invokeModel } from '../../src/providers/bedrock/invoke-model.ts';
import { chat as cohereChat, embed, legacyChat } from '../../src/providers/cohere/shapes.ts';
import { interaction } from '../../src/providers/google/interaction.ts';
import { embedContent, generateContent } from '../../src/providers/google/shapes.ts';
import { chatModel } from '../../src/providers/langchain/chat-model.ts';
import { chat as mistralChat, conversation } from '../../src/providers/mistral/shapes.ts';
import { generate as ollamaGenerate } from '../../src/providers/ollama/shapes.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import { responses } from '../../src/providers/openai/responses.ts';
import { generate as modelGenerate } from '../../src/providers/vercel-ai/language-model.ts';
import type { CallShape } from '../../src/domain/call-shape.ts';

const TEXT = 'How often does the tide come in?';
const ASKED = { messages: [{ role: 'user', content: TEXT }] };
const BODY = (body: object): object => ({ modelId: 'm', body: JSON.stringify(body) });

interface Case {
  readonly shape: CallShape;
  /** All of the input is in it. */
  readonly whole: object;
  /** Fields that name more, each by itself. */
  readonly hiding: readonly object[];
}

const CASES: Readonly<Record<string, Case>> = {
  'openai, chat completions': {
    shape: chatCompletions(),
    whole: { ...ASKED, tools: [{ type: 'function', function: { name: 'tide' } }] },
    hiding: [
      { web_search_options: {} },
      { data_sources: [{ type: 'azure_search' }] },
      { plugins: [{ id: 'web' }] },
      { tools: [{ type: 'web_search' }] },
      { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] },
    ],
  },
  'openai, responses': {
    shape: responses,
    whole: { input: TEXT, tools: [{ type: 'function', name: 'tide' }] },
    hiding: [
      { previous_response_id: 'resp_1' },
      { conversation: { id: 'conv_1' } },
      { prompt: { id: 'pmpt_1' } },
      { tools: [{ type: 'mcp', server_label: 'tides' }] },
      { input: [{ type: 'reasoning', encrypted_content: '…' }] },
    ],
  },
  anthropic: {
    shape: messages,
    whole: { ...ASKED, tools: [{ name: 'tide', input_schema: {} }] },
    hiding: [
      { container: 'container_1' },
      { mcp_servers: [{ type: 'url' }] },
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      {
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] },
        ],
      },
    ],
  },
  'bedrock, converse': {
    shape: converse,
    whole: { modelId: 'm', messages: [{ role: 'user', content: [{ text: TEXT }] }] },
    hiding: [
      { modelId: 'arn:aws:bedrock:eu-west-3:1:prompt/P1' },
      { toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] } },
      { messages: [{ role: 'user', content: [{ document: { name: 'tides' } }] }] },
    ],
  },
  'bedrock, InvokeModel of a plain format': {
    shape: invokeModel,
    whole: BODY({ prompt: TEXT }),
    hiding: [BODY({ prompt: TEXT, documents: [{}] }), BODY({ inputText: TEXT, inputImage: 'x' })],
  },
  'google, generateContent': {
    shape: generateContent,
    whole: { contents: TEXT, config: { tools: [{ functionDeclarations: [{ name: 'tide' }] }] } },
    hiding: [
      { config: { cachedContent: 'cachedContents/1' } },
      { config: { tools: [{ googleSearch: {} }] } },
      { contents: [{ role: 'user', parts: [{ fileData: { fileUri: 'gs://tides/1.pdf' } }] }] },
    ],
  },
  'google, embedContent': {
    shape: embedContent,
    whole: { contents: [TEXT] },
    hiding: [{ contents: [TEXT, { inlineData: { data: 'x' } }] }],
  },
  'google, interactions': {
    shape: interaction,
    whole: { input: TEXT },
    hiding: [
      { previous_interaction_id: 'i1' },
      { agent: 'deep-research' },
      { tools: [{ type: 'google_search' }] },
      { input: [{ type: 'user_input', content: [{ type: 'document', uri: 'gs://tides/1.pdf' }] }] },
    ],
  },
  'mistral, chat': {
    shape: mistralChat,
    whole: ASKED,
    hiding: [
      { agentId: 'ag_1' },
      {
        messages: [
          { role: 'user', content: [{ type: 'document_url', documentUrl: 'https://tides/1' }] },
        ],
      },
    ],
  },
  'mistral, conversations': {
    shape: conversation,
    whole: { model: 'm', inputs: TEXT },
    hiding: [
      { agentId: 'ag_1' },
      { conversationId: 'c1', conversationAppendRequest: { inputs: TEXT } },
      { tools: [{ type: 'web_search' }] },
    ],
  },
  'cohere, v2': { shape: cohereChat, whole: ASKED, hiding: [{ documents: ['Twice a day.'] }] },
  'cohere, v1': {
    shape: legacyChat,
    whole: { message: TEXT },
    hiding: [{ conversationId: 'c1' }, { connectors: [{ id: 'web-search' }] }, { documents: [{}] }],
  },
  'cohere, embed': { shape: embed, whole: { texts: [TEXT] }, hiding: [{ images: ['x'] }] },
  'ollama, generate': {
    shape: ollamaGenerate,
    whole: { prompt: TEXT },
    hiding: [{ images: ['x'] }],
  },
  'AI SDK': {
    shape: modelGenerate,
    whole: { prompt: [{ role: 'user', content: [{ type: 'text', text: TEXT }] }] },
    hiding: [
      { providerOptions: { openai: { previousResponseId: 'resp_1' } } },
      { providerOptions: { google: { cachedContent: 'cachedContents/1' } } },
      { tools: [{ type: 'provider-defined', id: 'openai.web_search' }] },
      { tools: [{ type: 'provider', id: 'openai.web_search' }] },
      {
        prompt: [
          { role: 'user', content: [{ type: 'file', mediaType: 'application/pdf', data: 'x' }] },
        ],
      },
    ],
  },
  LangChain: {
    shape: chatModel,
    whole: { messages: [['human', TEXT]] },
    hiding: [
      { config: { previous_response_id: 'resp_1' } },
      { tools: [{ type: 'web_search_preview' }] },
    ],
  },
};

describe('input that a request only names', () => {
  for (const [title, { shape, whole, hiding }] of Object.entries(CASES)) {
    describe(title, () => {
      it('makes no estimate of a request that holds all', () => {
        const countable = shape.countable(whole);
        assert.ok(countable.kind !== 'unknown');
        assert.notEqual(countable.partial, true);
      });
      for (const more of hiding) {
        it(`makes an estimate with ${JSON.stringify(more)}`, () => {
          const countable = shape.countable({ ...whole, ...more });
          assert.ok(countable.kind !== 'unknown');
          assert.equal(countable.partial, true);
        });
      }
      it('is unknown where there is no request', () => {
        for (const nothing of [undefined, null, 'text']) {
          const countable = shape.countable(nothing);
          if (countable.kind === 'texts') assert.deepEqual(countable.texts, []);
        }
      });
    });
  }

  it('counts the tokens of an Ollama context', () => {
    const countable = ollamaGenerate.countable({ prompt: TEXT, context: [1, 2, 3] });
    assert.partialDeepStrictEqual(countable, { kind: 'texts', texts: [TEXT], tokens: 3 });
  });
});
