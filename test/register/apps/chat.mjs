// Any application: it knows nothing of us.
import { OpenAI } from 'openai';

const reply = await new OpenAI().chat.completions.create({
  model: 'gpt-4o',
  user: 'alice',
  messages: [{ role: 'user', content: 'When is high tide?' }],
});
console.log(reply.choices[0].message.content);
