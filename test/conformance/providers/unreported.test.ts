import assert from 'node:assert/strict';
import { get_encoding } from 'tiktoken';
import type { Anthropic } from '@anthropic-ai/sdk';
import type * as Bedrock from '@aws-sdk/client-bedrock-runtime';
import type { GoogleGenAI } from '@google/genai';
import type { Mistral } from '@mistralai/mistralai';
import type { CohereClientV2 } from 'cohere-ai';
import type { Groq } from 'groq-sdk';
import type { Ollama } from 'ollama';
import type { OpenAI } from 'openai';
import type { Together } from 'together-ai';
import { anthropic } from '../../../src/providers/anthropic/index.ts';
import { bedrock } from '../../../src/providers/bedrock/index.ts';
import { cohere } from '../../../src/providers/cohere/index.ts';
import { google } from '../../../src/providers/google/index.ts';
import { groq } from '../../../src/providers/groq/index.ts';
import { mistral } from '../../../src/providers/mistral/index.ts';
import { ollama } from '../../../src/providers/ollama/index.ts';
import { openai } from '../../../src/providers/openai/index.ts';
import type { SdkPatch } from '../../../src/providers/sdk-patch.ts';
import { together } from '../../../src/providers/together/index.ts';
import { imageDataUrl } from '../../support/image-headers.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import { anthropicBareStream } from '../../support/wire/anthropic.ts';
import { converseBareStream } from '../../support/wire/bedrock.ts';
import { cohereBareStream } from '../../support/wire/cohere.ts';
import { googleBareStream } from '../../support/wire/google.ts';
import { mistralBareStream } from '../../support/wire/mistral.ts';
import { ollamaBareStream } from '../../support/wire/ollama.ts';
import { chatBareStream } from '../../support/wire/openai-chat.ts';
import { responsesStream } from '../../support/wire/openai-responses.ts';
import { startWireServer, type Script, type WireServer } from '../../support/wire/wire-server.ts';

const SYSTEM = 'You know the tides of every harbour.';
const QUESTION = 'When will the water be as high as in this picture?';
const ABOUT = 'Tells the tides of a place.';
const PLACE = { type: 'string', description: 'A harbour, such as Brest.' };
const SCHEMA = { type: 'object' as const, properties: { place: PLACE }, required: ['place'] };
const TOOL = { name: 'tide', description: ABOUT, parameters: SCHEMA };
const TOOLS = [{ type: 'function' as const, function: TOOL }];

const IMAGE = imageDataUrl('png', 600, 400);
const DATA = IMAGE.slice(IMAGE.indexOf(',') + 1);
/** The prices of 600 × 400 pixels by the providers' guides, worked out by hand. */
const IMAGE_TOKENS = {
  /** 85, and 170 for each of 2 × 1 tiles of 512 pixels; taken too where no rule is known. */
  openai: 85 + 2 * 170,
  /** A pixel is a 750th of a token. */
  claude: (600 * 400) / 750,
  /** Gemini 3: of any size. */
  gemini: 1120,
} as const;

const encoding = get_encoding('o200k_base');
const n = (text: string): number => encoding.encode_ordinary(text).length;

/** The declaration of the tool as OpenAI's models are shown it. */
const DECLARED = [
  'namespace functions {',
  '',
  `// ${ABOUT}`,
  'type tide = (_: {',
  '// A harbour, such as Brest.',
  'place: string,',
  '}) => any;',
  '',
  '} // namespace functions',
].join('\n');

/**
 * Input besides the image, worked out by hand from the rules of docs/tokens.md and src/tokens. In
 * o200k_base the system text has 8 tokens, the question 12, the tool in JSON 53; each text has one
 * capital and one symbol.
 */
const TOKENS = {
  /** 3 and the role per message, a newline after the system text, 3 for the reply, 5 for the tools. */
  chat: 3 + 1 + n(`${SYSTEM}\n`) + 3 + 1 + n(QUESTION) + 3 + n(DECLARED) + 5,
  /** 3 for the tools, and no newline. */
  responses: 3 + 1 + n(SYSTEM) + 3 + 1 + n(QUESTION) + 3 + n(DECLARED) + 3,
  /** Opus 5: 5 and 3 of framing; 1.35 × 20; 350 and 1.7 × 53 = 440.1. */
  claude: 8 + 27 + 440,
  /**
   * Gemini 3: 1 a message; 1.01 × 20 - 0.13 + 0.24 = 20.3; 21 for the tool, 16 for its property, and
   * their texts of 18 tokens, three capitals and three symbols: 1.01 × 18 - 0.19 + 0.36 = 18.4.
   */
  gemini: 1 + 20 + 55,
  /** 1 + 2 + 4 of framing; 0.983 × 20 + 0.12 + 0.11 = 19.9; 4 and 1.35 × 53 = 75.6. */
  mistral: 7 + 20 + 76,
  /** Cohere: 20 of text; 0.75 × 53 = 39.8. */
  cohere: 20 + 40,
  /** 30 + 5 + 5 of framing; 0.997 × 20 + 0.12 = 20.1; 80 and 1.35 × 53 = 151.6. */
  llama3: 40 + 20 + 152,
  /** The same without the 25 of the dates, and 20 of text. */
  llama4: 15 + 20 + 152,
} as const;

const CHAT_MESSAGES = [
  { role: 'system' as const, content: SYSTEM },
  {
    role: 'user' as const,
    content: [
      { type: 'text' as const, text: QUESTION },
      { type: 'image_url' as const, image_url: { url: IMAGE } },
    ],
  },
];
const chat = (model: string): Script => chatBareStream({ model, usage: {}, streamUsage: {} });

interface Sdk {
  readonly patch: SdkPatch;
  readonly load: () => Promise<unknown>;
  readonly image: keyof typeof IMAGE_TOKENS;
  /** @default 'chat' */
  readonly tokens?: keyof typeof TOKENS;
  readonly script: Script;
  readonly protocol?: 'http2';
  /** Sends the system text, the question, the image and the tool, and gives the stream of the reply. */
  stream(module: unknown, url: string): Promise<AsyncIterable<unknown> | undefined>;
}

const SDKS: Readonly<Record<string, Sdk>> = {
  'openai, chat completions': {
    patch: openai,
    load: loadCjs('openai'),
    image: 'openai',
    script: chat('gpt-4o'),
    stream: async (module, baseURL) =>
      new (module as { OpenAI: typeof OpenAI }).OpenAI({
        apiKey: 'test',
        baseURL,
      }).chat.completions.create({
        model: 'gpt-4o',
        stream: true,
        messages: CHAT_MESSAGES,
        tools: TOOLS,
      }),
  },
  'openai, responses': {
    patch: openai,
    load: loadCjs('openai'),
    image: 'openai',
    tokens: 'responses',
    script: responsesStream({ model: 'gpt-4o', usage: {} }, null),
    stream: async (module, baseURL) =>
      new (module as { OpenAI: typeof OpenAI }).OpenAI({
        apiKey: 'test',
        baseURL,
      }).responses.create({
        model: 'gpt-4o',
        stream: true,
        instructions: SYSTEM,
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: QUESTION },
              { type: 'input_image', image_url: IMAGE, detail: 'auto' },
            ],
          },
        ],
        tools: [{ type: 'function', strict: null, ...TOOL }],
      }),
  },
  anthropic: {
    patch: anthropic,
    load: loadCjs('@anthropic-ai/sdk'),
    image: 'claude',
    tokens: 'claude',
    script: anthropicBareStream,
    stream: async (module, baseURL) =>
      new (module as { Anthropic: typeof Anthropic }).Anthropic({
        apiKey: 'test',
        baseURL,
      }).messages.create({
        model: 'claude-opus-5',
        max_tokens: 50,
        stream: true,
        system: SYSTEM,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: QUESTION },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: DATA } },
            ],
          },
        ],
        tools: [{ name: 'tide', description: ABOUT, input_schema: SCHEMA }],
      }),
  },
  google: {
    patch: google,
    load: loadCjs('@google/genai'),
    image: 'gemini',
    tokens: 'gemini',
    script: googleBareStream,
    stream: async (module, baseUrl) =>
      new (module as { GoogleGenAI: typeof GoogleGenAI }).GoogleGenAI({
        apiKey: 'test',
        httpOptions: { baseUrl },
      }).models.generateContentStream({
        model: 'gemini-3-pro',
        contents: [
          {
            role: 'user',
            parts: [{ text: QUESTION }, { inlineData: { mimeType: 'image/png', data: DATA } }],
          },
        ],
        config: {
          systemInstruction: SYSTEM,
          tools: [
            {
              functionDeclarations: [
                { name: 'tide', description: ABOUT, parametersJsonSchema: SCHEMA },
              ],
            },
          ],
        },
      }),
  },
  mistral: {
    patch: mistral,
    load: loadEsm('@mistralai/mistralai'),
    image: 'openai',
    tokens: 'mistral',
    script: mistralBareStream,
    stream: async (module, serverURL) =>
      new (module as { Mistral: typeof Mistral }).Mistral({
        apiKey: 'test',
        serverURL,
      }).chat.stream({
        model: 'mistral-large-2512',
        messages: [
          { role: 'system', content: SYSTEM },
          {
            role: 'user',
            content: [
              { type: 'text', text: QUESTION },
              { type: 'image_url', imageUrl: IMAGE },
            ],
          },
        ],
        tools: TOOLS,
      }),
  },
  cohere: {
    patch: cohere,
    load: loadCjs('cohere-ai'),
    image: 'openai',
    tokens: 'cohere',
    script: cohereBareStream,
    stream: async (module, environment) =>
      new (module as { CohereClientV2: typeof CohereClientV2 }).CohereClientV2({
        token: 'test',
        environment,
      }).chatStream({
        model: 'command-a-vision-07-2025',
        messages: [
          { role: 'system', content: SYSTEM },
          {
            role: 'user',
            content: [
              { type: 'text', text: QUESTION },
              { type: 'image_url', imageUrl: { url: IMAGE } },
            ],
          },
        ],
        tools: TOOLS,
      }),
  },
  ollama: {
    patch: ollama,
    load: loadCjs('ollama'),
    image: 'openai',
    tokens: 'llama3',
    script: ollamaBareStream,
    stream: async (module, host) =>
      new (module as { Ollama: typeof Ollama }).Ollama({ host }).chat({
        model: 'llama3.2',
        stream: true,
        messages: [
          { role: 'system', content: SYSTEM },
          { role: 'user', content: QUESTION, images: [DATA] },
        ],
        tools: TOOLS,
      }),
  },
  groq: {
    patch: groq,
    load: loadCjs('groq-sdk'),
    image: 'openai',
    tokens: 'llama4',
    script: chat('meta-llama/llama-4-scout'),
    stream: async (module, baseURL) =>
      new (module as { Groq: typeof Groq }).Groq({
        apiKey: 'test',
        baseURL,
      }).chat.completions.create({
        model: 'meta-llama/llama-4-scout',
        stream: true,
        messages: CHAT_MESSAGES,
        tools: TOOLS,
      }),
  },
  together: {
    patch: together,
    load: loadCjs('together-ai'),
    image: 'openai',
    tokens: 'llama4',
    script: chat('meta-llama/Llama-4-Scout'),
    stream: async (module, baseURL) =>
      new (module as { Together: typeof Together }).Together({
        apiKey: 'test',
        baseURL,
      }).chat.completions.create({
        model: 'meta-llama/Llama-4-Scout',
        stream: true,
        messages: CHAT_MESSAGES,
        tools: TOOLS,
      }),
  },
  bedrock: {
    patch: bedrock,
    load: loadCjs('@aws-sdk/client-bedrock-runtime'),
    image: 'claude',
    tokens: 'claude',
    script: converseBareStream,
    protocol: 'http2',
    async stream(module, endpoint) {
      const { BedrockRuntimeClient, ConverseStreamCommand } = module as typeof Bedrock;
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
      const client = new BedrockRuntimeClient({ region: 'us-east-1', endpoint, credentials });
      const bytes = Buffer.from(DATA, 'base64');
      const reply = await client.send(
        new ConverseStreamCommand({
          modelId: 'anthropic.claude-opus-5',
          system: [{ text: SYSTEM }],
          messages: [
            {
              role: 'user',
              content: [{ text: QUESTION }, { image: { format: 'png', source: { bytes } } }],
            },
          ],
          toolConfig: {
            tools: [
              { toolSpec: { name: 'tide', description: ABOUT, inputSchema: { json: SCHEMA } } },
            ],
          },
        }),
      );
      return reply.stream;
    },
  },
};

describe('input that no reply reports: text, an image and a tool', () => {
  for (const [name, sdk] of Object.entries(SDKS)) {
    it(name, async () => {
      const server: WireServer = await startWireServer(sdk.protocol);
      const metering: Metering = startMetering();
      try {
        const module = await sdk.load();
        assert.notEqual(sdk.patch.patch(module, metering.current), 'unfit');
        metering.on();
        server.play(sdk.script);
        for await (const _ of (await sdk.stream(module, server.url)) ?? []);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ inputTokens, tokenSource, outcome }) => ({
            inputTokens,
            tokenSource,
            outcome,
          })),
          [
            {
              inputTokens: TOKENS[sdk.tokens ?? 'chat'] + IMAGE_TOKENS[sdk.image],
              // What a tool costs is published by nobody.
              tokenSource: 'estimated',
              outcome: 'ok',
            },
          ],
        );
      } finally {
        metering.off();
        metering.close();
        await server.close();
      }
    });
  }
});
