// The SDK is started by the preload inside the first of these contexts.
import { context, trace } from '@opentelemetry/api';
import { OpenAI } from 'openai';
import { withUsageContext } from 'otel-token-meter';

const ask = async () =>
  await new OpenAI().chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  });

/** Whether the span records depends on whether there is an SDK yet. */
const inSpan = async () => {
  const span = trace.getTracer('host').startSpan('request');
  await context.with(trace.setSpan(context.active(), span), ask);
  span.end();
};

for (const userId of ['alice', 'bob']) {
  await withUsageContext({ userId }, process.argv[2] === 'plain' ? ask : inSpan);
}
