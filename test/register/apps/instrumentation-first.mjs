// The instrumentation stands before the SDK is imported: no loader flag is needed.
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const records = [];
new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
const { OpenAI } = await import('openai');
await new OpenAI().chat.completions.create({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'When is high tide?' }],
});
await flush();
console.log(JSON.stringify(records.map((record) => record.inputTokens)));
