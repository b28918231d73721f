// A server in the middle of its work: one reply is not read yet, of another the half is, a third is
// made in the background.
import { createRequire } from 'node:module';
import { OpenAI } from 'openai';

if (process.argv[2] === 'signal-exit')
  createRequire(import.meta.url)('signal-exit').onExit(() => {});
const client = new OpenAI({ maxRetries: 0 });
const chat = (user) =>
  client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'How often does the tide come in?' }],
    stream: true,
    user,
  });
globalThis.unread = await chat('unread');
globalThis.halfRead = (await chat('half-read'))[Symbol.asyncIterator]();
for (let chunks = 0; chunks < 3; chunks += 1) await globalThis.halfRead.next();
await client.responses.create({
  model: 'gpt-4o',
  input: 'When?',
  background: true,
  user: 'background',
});
setInterval(() => undefined, 1000);
console.log('ready');
