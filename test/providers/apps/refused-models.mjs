// Calls models of AI SDK packages that are loaded by require(), with a budget that is spent.
import { createRequire } from 'node:module';
import { flush, recordUsage, TokenMeterInstrumentation } from 'otel-token-meter';

new TokenMeterInstrumentation({
  budgets: [{ id: 'spent', window: 'day', limit: { calls: 1 }, mode: 'block' }],
});
await recordUsage({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1 });
await flush();

const require = createRequire(import.meta.url);
const { embed, generateObject } = require('ai');
const { createOpenAI } = require('@ai-sdk/openai');
let sent = 0;
const openai = createOpenAI({
  apiKey: 'key',
  fetch: async () => {
    sent += 1;
    return new Response('{}', { status: 400 });
  },
});
const model = openai.chat('gpt-4o');
const embedding = openai.embedding('text-embedding-3-small');
const prompt = [{ role: 'user', content: [{ type: 'text', text: 'When?' }] }];
const codes = [];
for (const call of [
  () => model.doGenerate({ prompt }),
  () => generateObject({ model, prompt: 'When?', output: 'no-schema' }),
  () => embed({ model: embedding, value: 'tide' }),
]) {
  try {
    await call();
  } catch (error) {
    codes.push(error.code);
  }
}
console.log(JSON.stringify({ sent, codes }));
