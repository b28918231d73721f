const { flush, TokenMeterInstrumentation } = require('otel-token-meter');

const records = [];
new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
const { OpenAI } = require('openai');
void (async () => {
  await new OpenAI().chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  });
  await flush();
  console.log(JSON.stringify(records.map((record) => record.inputTokens)));
})();
