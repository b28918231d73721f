// A static import is evaluated before anything of this file: the SDK stays as it is.
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const records = [];
const instrumentation = new TokenMeterInstrumentation({
  onUsage: (record) => records.push(record),
});
if (process.argv[2] === 'by-hand') instrumentation.instrument('openai', OpenAI);
const chat = () =>
  new OpenAI().chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  });
await chat();
await chat();
await flush();
console.log(JSON.stringify(records.map((record) => record.inputTokens)));
