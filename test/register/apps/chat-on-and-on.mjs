// A server: calls the model again and again, and says how each call ended, until it is told to stop.
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';

process.once('SIGTERM', () => process.exit(0));
const openai = new OpenAI();
for (;;) {
  try {
    await openai.chat.completions.create({
      model: 'gpt-4o',
      user: 'alice',
      messages: [{ role: 'user', content: 'When is high tide?' }],
    });
    console.log('answered');
  } catch (error) {
    const { status, code, budgetId } = error;
    console.log(JSON.stringify([error instanceof OpenAI.RateLimitError, status, code, budgetId]));
  }
  await sleep(25);
}
