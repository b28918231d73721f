// A function as a serverless host calls it: what runs after the reply does not count.
import { OpenAI } from 'openai';
import { deliverAfter } from 'otel-token-meter';

async function handler() {
  const reply = await new OpenAI().chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  });
  return reply.choices[0].message.content;
}

const called = process.argv[2] === 'wrapped' ? deliverAfter(handler) : handler;
console.log(await called({}, { getRemainingTimeInMillis: () => 10_000 }));
setInterval(() => undefined, 1000);
