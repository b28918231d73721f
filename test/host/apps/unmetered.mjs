// Every SDK is imported before the instrumentation; each call is then made once.
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { Anthropic } from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { Mistral } from '@mistralai/mistralai';
import { CohereClientV2 } from 'cohere-ai';
import Groq from 'groq-sdk';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import Together from 'together-ai';
import { meterChat, TokenMeterInstrumentation } from 'otel-token-meter';

const { OpenAI: OpenAI4 } = createRequire(
  new URL('../../sdks/openai-4/package.json', import.meta.url),
)('openai');

const codes = [];
process.on('warning', ({ code, name }) => {
  if (name === 'TokenMeterWarning' && code !== undefined) codes.push(code);
});
const instrumentation = new TokenMeterInstrumentation();
const { SERVER_URL: baseURL, HTTP2_URL: http2 } = process.env;
const options = { apiKey: 'test', baseURL, maxRetries: 0 };
/** Another address, since each is warned about once. */
const elsewhere = { ...options, baseURL: baseURL.replace('127.0.0.1', 'localhost') };
const messages = [{ role: 'user', content: 'When is high tide?' }];
const chat = (client) => client.chat.completions.create({ model: 'm', messages });
const amazon = (endpoint) => ({
  region: 'eu-west-3',
  endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});
const converse = new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [] }] });

const CALLS = {
  openai: () => chat(new OpenAI(options)),
  'openai 4': () => chat(new OpenAI4(options)),
  groq: () => chat(new Groq(options)),
  together: () => chat(new Together(options)),
  anthropic: () => new Anthropic(options).messages.create({ model: 'm', max_tokens: 1, messages }),
  google: () =>
    new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: baseURL } }).models.generateContent({
      model: 'm',
      contents: 'When?',
    }),
  mistral: () =>
    new Mistral({ apiKey: 'test', serverURL: baseURL }).chat.complete({ model: 'm', messages }),
  cohere: () =>
    new CohereClientV2({ token: 'test', environment: baseURL }).chat(
      { model: 'm', messages },
      { maxRetries: 0 },
    ),
  ollama: () => new Ollama({ host: baseURL }).chat({ model: 'm', messages }),
  'bedrock, HTTP/2': () => new BedrockRuntimeClient(amazon(http2)).send(converse),
  'a plain fetch': () => fetch(`${baseURL}/v1/chat/completions`, { method: 'POST', body: '{}' }),
  'a plain http request': () =>
    new Promise((resolve) =>
      request(`${baseURL}/v1/messages?x=1`, { method: 'POST' }, resolve).end('{}'),
    ),
  'a vendored provider': () =>
    fetch(`${baseURL}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'user-agent': 'ai/5.0.0 ai-sdk/perplexity/2.0.0' },
      body: '{}',
    }),
  'a minified openai': () => chat(new (class a extends OpenAI {})(elsewhere)),
  'a minified anthropic': () =>
    new (class a extends Anthropic {})(elsewhere).messages.create({
      model: 'm',
      max_tokens: 1,
      messages,
    }),
  "assistants' runs": () => new OpenAI(options).post('/threads/t1/runs', { body: {} }),
  'Anthropic sessions': () => new Anthropic(options).post('/v1/sessions', { body: {} }),
  'a wrapped call': () =>
    meterChat(() => fetch(`${baseURL}/other/chat/completions`, { method: 'POST', body: '{}' }))(),
  'no call of a model': () => fetch(`${baseURL}/api/users`, { method: 'POST', body: '{}' }),
  'by hand': () => instrumentation.instrument('left-pad', {}),
  'by hand, another shape': () => instrumentation.instrument('groq-sdk', { Groq: class {} }),
};
const found = {};
for (const [name, call] of Object.entries(CALLS)) {
  await Promise.resolve()
    .then(call)
    .catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  found[name] = codes.splice(0);
}
console.log(JSON.stringify(found));
process.exit();
