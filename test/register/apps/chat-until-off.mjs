// Switches metering off in the settings file, as a person with an editor would, and calls on.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';

const lines = { count: 0 };
const write = process.stderr.write.bind(process.stderr);
process.stderr.write = (...args) => {
  lines.count += 1;
  return write(...args);
};
const chat = async () => {
  await new OpenAI().chat.completions.create({
    model: 'gpt-4o',
    user: 'alice',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  });
  await sleep(100);
};
while (lines.count === 0) await chat();
writeFileSync(process.argv[2], '{"values": {"enabled": false}}');
for (let i = 0, quiet = 0; i < 80 && quiet < 3; i++) {
  const before = lines.count;
  await chat();
  quiet = lines.count === before ? quiet + 1 : 0;
  if (quiet === 3) console.log('switched off');
}
