const { OpenAI } = require('openai');

void new OpenAI().chat.completions
  .create({
    model: 'gpt-4o',
    user: 'alice',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  })
  .then((reply) => console.log(reply.choices[0].message.content));
