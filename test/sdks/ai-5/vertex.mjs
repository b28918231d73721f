// AI SDK 5 with providers that need settings: they are in the code, and none in the environment.
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const baseURL = process.env.SERVER_URL;
// A ready provider has its vendor's address; its package takes `fetch` when it is loaded.
globalThis.fetch = (
  (real) => (url, init) =>
    real(
      new Request(url, init).url.replace(
        'https://bedrock-runtime.eu-west-3.amazonaws.com',
        baseURL,
      ),
      init,
    )
)(globalThis.fetch);
const records = [];
new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
const {
  embed,
  experimental_generateImage: generateImage,
  generateObject,
  generateText,
  jsonSchema,
  streamText,
} = await load('ai');
const { createVertex } = await load('@ai-sdk/google-vertex');
const { createVertexAnthropic } = await load('@ai-sdk/google-vertex/anthropic');
const { createBedrockAnthropic } = await load('@ai-sdk/amazon-bedrock/anthropic');
const { bedrock, createAmazonBedrock } = await load('@ai-sdk/amazon-bedrock');

async function load(name) {
  if (process.argv[2] === 'import') return await import(name);
  const { createRequire } = await import('node:module');
  return createRequire(import.meta.url)(name);
}

const google = {
  project: 'tides',
  location: 'europe-west9',
  baseURL,
  googleAuthOptions: { authClient: { getAccessToken: async () => ({ token: 'test' }) } },
};
const amazon = { region: 'eu-west-3', apiKey: 'test', baseURL };
const prompt = 'When is high tide?';
const CALLS = {
  generateText: () => generateText({ model: createVertex(google)('gemini-3-flash'), prompt }),
  streamText: async () => {
    const { textStream } = streamText({ model: createVertex(google)('gemini-3-flash'), prompt });
    for await (const _piece of textStream);
  },
  generateObject: () =>
    generateObject({
      model: createVertex(google)('gemini-3-flash'),
      schema: jsonSchema({ type: 'object' }),
      prompt,
    }),
  embed: () =>
    embed({ model: createVertex(google).textEmbeddingModel('text-embedding-005'), value: prompt }),
  'ready instance': () => {
    // Set after the import, as by a program that reads its own file of variables.
    process.env.AWS_REGION = 'eu-west-3';
    process.env.AWS_ACCESS_KEY_ID = 'test';
    process.env.AWS_SECRET_ACCESS_KEY = 'test';
    return generateText({ model: bedrock('anthropic.claude-opus-5'), prompt });
  },
  vertexAnthropic: () =>
    generateText({ model: createVertexAnthropic(google)('claude-opus-5'), prompt }),
  bedrockAnthropic: () =>
    generateText({ model: createBedrockAnthropic(amazon)('anthropic.claude-opus-5'), prompt }),
  bedrock: () =>
    generateText({ model: createAmazonBedrock(amazon)('anthropic.claude-opus-5'), prompt }),
  image: () =>
    generateImage({ model: createVertex(google).image('imagen-4.0-generate-001'), prompt }),
};

const found = {};
for (const [name, call] of Object.entries(CALLS)) {
  await call();
  await flush();
  found[name] = records
    .splice(0)
    .map(({ operation, outcome, inputTokens }) =>
      [operation, outcome, inputTokens].filter((value) => value !== undefined),
    );
}
const provider = createVertex(google);
found.stable = provider.languageModel === provider.languageModel;
console.log(JSON.stringify(found));
