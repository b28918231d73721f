import type { ChatCall } from '../../src/call/chat-call.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import type { Metering } from './metering.ts';

export const USAGE = { prompt_tokens: 18, completion_tokens: 5, total_tokens: 23 };

/** Five chunks of the chat completions format, the last with usage. */
export const CHUNKS: readonly object[] = [
  ...['The ', 'tide ', 'comes ', 'in.'].map((content) => chunk({ content })),
  { ...chunk({}, 'stop'), usage: USAGE },
];

function chunk(delta: object, finishReason: string | null = null): object {
  return {
    id: 'chatcmpl-1',
    model: 'gpt-4o',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  };
}

/** A call of chat completions that has been sent; its reply is the test's to watch. */
export function startChat(metering: Metering): ChatCall {
  const call = metering.current()?.start({
    provider: 'openai',
    shape: chatCompletions(),
    request: { model: 'gpt-4o', messages: [{ role: 'user', content: 'When is high tide?' }] },
  });
  if (call === undefined) throw new Error('metering is off');
  return call;
}

/** The one record since the last time. */
export async function onlyRecord(metering: Metering): Promise<UsageRecord> {
  const { records } = await metering.take();
  const [record] = records;
  if (records.length !== 1 || record === undefined) {
    throw new Error(`${records.length} records in place of one`);
  }
  return record;
}
