// Each SDK is imported by an entry beside its main one, and called once.
import { createRequire } from 'node:module';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const records = [];
new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
const [how, ...entries] = process.argv.slice(2);
const load = how === 'require' ? createRequire(import.meta.url) : (name) => import(name);
const baseURL = process.env.SERVER_URL;
const messages = [{ role: 'user', content: 'When is high tide?' }];

const chat = (client) => client.chat.completions.create({ model: 'gpt-4o', messages });
const options = { apiKey: 'test', baseURL };
const CALLS = {
  'openai/client': ({ OpenAI }) => chat(new OpenAI(options)),
  'openai/azure': ({ AzureOpenAI }) =>
    chat(new AzureOpenAI({ ...options, apiVersion: '2026-01-01' })),
  'groq-sdk/client': ({ Groq }) => chat(new Groq(options)),
  'together-ai/client': ({ Together }) => chat(new Together(options)),
  '@anthropic-ai/sdk/client': ({ Anthropic }) =>
    new Anthropic(options).messages.create({ model: 'claude-opus-5', max_tokens: 9, messages }),
  '@google/genai/web': ({ GoogleGenAI }) => generate(GoogleGenAI),
  '@google/genai/node': ({ GoogleGenAI }) => generate(GoogleGenAI),
  'ollama/browser': ({ Ollama }) =>
    new Ollama({ host: baseURL }).chat({ model: 'llama3.2', messages }),
  'openai/realtime/ws': async ({ OpenAIRealtimeWS }) =>
    overSocket(new OpenAIRealtimeWS({ model: 'gpt-realtime' }, await socketApi()), {}),
  'openai/resources/responses/ws': async ({ ResponsesWS }) =>
    overSocket(new ResponsesWS(await socketApi()), { model: 'gpt-4o', input: 'When?' }),
};

async function socketApi() {
  const { OpenAI } = await load('openai');
  return new OpenAI({ apiKey: 'test', baseURL: process.env.SOCKET_URL });
}

async function overSocket(client, request) {
  const socket = client.socket.platformSocket ?? client.socket;
  await new Promise((resolve) => socket.once('open', resolve));
  client.send({ type: 'response.create', ...request });
  await new Promise((resolve) => {
    client.on('response.done', resolve);
    client.on('response.completed', resolve);
  });
  client.close();
}

function generate(GoogleGenAI) {
  const client = new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: baseURL } });
  return client.models.generateContent({ model: 'gemini-3-flash', contents: 'When is high tide?' });
}

const found = {};
for (const entry of entries) {
  await CALLS[entry](await load(entry));
  await flush();
  found[entry] = records.splice(0).map(({ outcome, inputTokens }) => [outcome, inputTokens]);
}
console.log(JSON.stringify(found));
