import assert from 'node:assert/strict';
import { OpenAI } from 'openai';
import {
  DEMO_MODELS,
  OMIT_USAGE_HEADER,
  startDemoModel,
  type DemoModel,
} from '../../../example-app/demo-model/server.ts';

const RECORDED = {
  id: 'c-1',
  messages: [
    { role: 'user', content: 'What is the weather in Bergen?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', function: { name: 'weather', arguments: '{"city":"Bergen"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    { role: 'assistant', content: 'It rains — as ever.\n\n下雨。' },
  ],
};

describe('demo model', () => {
  let demo: DemoModel;
  let client: OpenAI;

  before(async () => {
    demo = await startDemoModel({ conversations: [RECORDED] });
    client = new OpenAI({ apiKey: 'demo', baseURL: demo.url, maxRetries: 0 });
  });
  after(async () => {
    await demo.close();
  });

  it('answers with the recorded turn, whole and streamed', async () => {
    for (const position of [1, 3]) {
      const turn = RECORDED.messages[position];
      const body = {
        model: 'gpt-4o',
        messages: RECORDED.messages.slice(0, position) as OpenAI.ChatCompletionMessageParam[],
        metadata: { conversation_id: 'c-1' },
      };
      const reply = await client.chat.completions.create(body);
      const message = reply.choices[0]?.message;
      assert.equal(message?.content, turn?.content);
      const [call] = (message?.tool_calls ?? []) as OpenAI.ChatCompletionMessageFunctionToolCall[];
      assert.deepEqual(call?.function, turn?.tool_calls?.[0]?.function);

      const streamed = await client.chat.completions.stream(body).finalChatCompletion();
      assert.equal(streamed.choices[0]?.message.content, turn?.content);
      const [again] = (streamed.choices[0]?.message.tool_calls ??
        []) as OpenAI.ChatCompletionMessageFunctionToolCall[];
      assert.equal(again?.function.arguments, turn?.tool_calls?.[0]?.function.arguments);
      assert.equal(streamed.choices[0]?.finish_reason, reply.choices[0]?.finish_reason);
    }
  });

  it('tells usage as a provider would: in streams only when asked, never when told not to', async () => {
    const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hello' }] };
    const { usage } = await client.chat.completions.create(body);
    assert.equal(usage?.prompt_tokens, 8);
    assert.equal(usage?.total_tokens, 8 + (usage?.completion_tokens ?? 0));
    const usages: unknown[] = [];
    for (const include_usage of [true, false]) {
      const stream = await client.chat.completions.create({
        ...body,
        stream: true,
        stream_options: { include_usage },
      });
      let last: unknown;
      for await (const chunk of stream) last = chunk.usage ?? last;
      usages.push(last);
    }
    assert.deepEqual(usages, [usage, undefined]);
    const silent = await client.chat.completions.create(body, {
      headers: { [OMIT_USAGE_HEADER]: '1' },
    });
    assert.equal(silent.usage, undefined);
  });

  it('answers in the language it was asked in', async () => {
    const ask = async (content: string): Promise<string> => {
      const reply = await client.chat.completions.create({
        model: 'gpt-4o',
        messages: [{ role: 'user', content }],
      });
      return reply.choices[0]?.message.content ?? '';
    };
    assert.match(await ask('How often does the tide come in?'), /demo model.*tide come in/);
    assert.match(await ask('潮水多久来一次？'), /演示模型.*潮水/);
  });

  it('refuses what a provider refuses', async () => {
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    await assert.rejects(
      async () => await client.chat.completions.create({ model: 'no', messages }),
      {
        status: 404,
        code: 'model_not_found',
      },
    );
    await assert.rejects(
      async () => await client.chat.completions.create({ model: 'gpt-4o', messages: [] }),
      { status: 400 },
    );
    const broken = await fetch(`${demo.url}/chat/completions`, { method: 'POST', body: '{' });
    assert.equal(broken.status, 400);
    const listed = await client.models.list();
    assert.deepEqual(
      listed.data.map(({ id }) => id),
      DEMO_MODELS,
    );
  });
});
