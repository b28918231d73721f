/** The same six calls, by three SDKs, in the ways in which applications are written and metered. */

export type Way = 'preload' | 'own SDK' | 'both';

export interface Style {
  readonly extension: string;
  readonly load: (names: string, from: string) => string;
  /** Statements that await. */
  readonly main: (body: string) => string;
}

export const ESM: Style = {
  extension: '.mjs',
  load: (names, from) => `import ${names} from '${from}';`,
  main: (body) => body,
};
export const COMMON_JS: Style = {
  extension: '.cjs',
  load: (names, from) => `const ${names} = require('${from}');`,
  main: (body) => `void (async () => {\n${body}\n})();`,
};
export const TYPE_SCRIPT: Style = {
  ...ESM,
  extension: '.ts',
  main: (body) => `const count: number = 6;\n${body}\nif (count !== 6) throw new Error('types');`,
};

const NAMES: Readonly<Record<string, string>> = {
  openai: '{ OpenAI }',
  '@aws-sdk/client-bedrock-runtime':
    '{ BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand }',
  ai: '{ generateText, streamText }',
  '@ai-sdk/openai': '{ createOpenAI }',
};
export const SDK_PACKAGES = Object.keys(NAMES);

/** Reads `OPENAI_BASE_URL` and `BEDROCK_URL`; each SDK answers once whole and once as a stream. */
const CALLS = `
const model = 'gpt-4o';
const question = 'How often does the tide come in?';
async function all(stream) { for await (const _part of stream); }
const BEDROCK = {
  modelId: 'anthropic.claude-3-haiku-20240307-v1:0',
  messages: [{ role: 'user', content: [{ text: question }] }],
};
async function calls() {
  const messages = [{ role: 'user', content: question }];
  const openai = new OpenAI({ maxRetries: 0 });
  await openai.chat.completions.create({ model, messages });
  await all(await openai.chat.completions.create({ model, messages, stream: true }));
  const bedrock = new BedrockRuntimeClient({
    region: 'eu-west-3',
    endpoint: process.env.BEDROCK_URL,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await bedrock.send(new ConverseCommand(BEDROCK));
  await all((await bedrock.send(new ConverseStreamCommand(BEDROCK))).stream);
  const provider = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: 'test' });
  await generateText({ model: provider.chat(model), prompt: question, maxRetries: 0 });
  await all(streamText({ model: provider.chat(model), prompt: question, maxRetries: 0 }).textStream);
}
const who = { userId: 'alice', conversationId: 'c-1' };
`;

/** Statically typed code says so where JavaScript needs nothing. */
function typed(code: string): string {
  return code
    .replace('function all(stream)', 'function all(stream: AsyncIterable<unknown> | undefined)')
    .replace('for await (const _part of stream)', 'for await (const _part of stream ?? [])')
    .replaceAll("role: 'user'", "role: 'user' as const");
}

/** An application whose SDKs are patched at import. */
export function application(style: Style): string {
  const { load, main, extension } = style;
  const calls = extension === '.ts' ? typed(CALLS) : CALLS;
  return [
    ...Object.entries(NAMES).map(([name, names]) => load(names, name)),
    load('{ flush, withUsageContext }', 'otel-token-meter'),
    calls,
    main(`await withUsageContext(who, calls);
await flush();
await ${extension === '.ts' ? '(globalThis as any)' : 'globalThis'}.endTelemetry?.();`),
  ].join('\n');
}

const SDK = `const sdk = new NodeSDK({
  instrumentations: [instrumentation],
  logRecordProcessors: [new SqliteUsageProcessor({ path: String(process.env.OWN_LEDGER) })],
});
sdk.start();`;

/** The application's own SDK, in a file that is loaded first. */
export function telemetry({ load, extension }: Style): string {
  return `
${load('{ NodeSDK }', '@opentelemetry/sdk-node')}
${load('{ TokenMeterInstrumentation }', 'otel-token-meter')}
${load('{ SqliteUsageProcessor }', 'otel-token-meter/exporter')}
const instrumentation = new TokenMeterInstrumentation();
${SDK}
${extension === '.ts' ? '(globalThis as any)' : 'globalThis'}.endTelemetry = () => sdk.shutdown();
`;
}

/** Everything in one file, to be bundled: SDKs are passed to \`instrument()\`. */
export function bundledApplication(): string {
  return `
import { NodeSDK } from '@opentelemetry/sdk-node';
import * as openaiModule from 'openai';
import * as bedrockModule from '@aws-sdk/client-bedrock-runtime';
import { generateText, streamText } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { flush, TokenMeterInstrumentation, withUsageContext } from 'otel-token-meter';
import { SqliteUsageProcessor } from 'otel-token-meter/exporter';
const { OpenAI } = openaiModule;
const { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } = bedrockModule;
const instrumentation = new TokenMeterInstrumentation();
instrumentation.instrument('openai', openaiModule);
instrumentation.instrument('@aws-sdk/client-bedrock-runtime', bedrockModule);
${SDK}
${CALLS}
void (async () => {
  await withUsageContext(who, calls);
  await flush();
  await sdk.shutdown();
})();
`;
}

/** For a route handler of Next.js. */
export function routeHandler(before: string): string {
  return [
    ...Object.entries(NAMES).map(([name, names]) => ESM.load(names, name)),
    ESM.load('{ flush, withUsageContext }', 'otel-token-meter'),
    before,
    typed(CALLS),
    `export const dynamic = 'force-dynamic';
export async function POST() {
  await withUsageContext(who, calls);
  await flush();
  return Response.json({ done: true });
}`,
  ].join('\n');
}
