import type { OpenAI } from 'openai';
import type { TokenUsage } from '../../../../src/domain/usage-record.ts';
import type { ChatWire } from '../../../support/wire/openai-chat.ts';
import type { Expected } from '../provider-under-test.ts';

/** What every shape asks, and what a record of it must hold. */
export const CHAT: Omit<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming, 'stream'> = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'How often does the tide come in?' }],
  user: 'u-7',
};

const USAGE = {
  prompt_tokens: 22,
  completion_tokens: 9,
  total_tokens: 31,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 2, audio_tokens: 0 },
};

export const CHAT_WIRE: ChatWire = {
  model: 'gpt-4o-mini-2024-07-18',
  usage: USAGE,
  streamUsage: { usage: USAGE },
};

export const CHAT_COUNTS: TokenUsage = {
  inputTokens: 22,
  outputTokens: 9,
  cacheReadTokens: 4,
  reasoningTokens: 2,
};

export const CHAT_RECORD: Expected = {
  provider: 'openai',
  operation: 'chat',
  requestModel: CHAT.model,
  responseModel: CHAT_WIRE.model,
  responseId: 'chatcmpl-1',
  userId: 'u-7',
};

export const CHAT_OK: Expected = {
  ...CHAT_RECORD,
  ...CHAT_COUNTS,
  totalTokens: 31,
  outcome: 'ok',
  tokenSource: 'provider',
};

/** Where majors differ: 4 has `parse`, `stream` and `runTools` under `beta`. */
type Completions = OpenAI['chat']['completions'];

export function helpersOf(client: OpenAI): Pick<Completions, 'parse' | 'stream' | 'runTools'> {
  const now = client.chat.completions;
  if (typeof now.stream === 'function') return now;
  return (client.beta as unknown as { chat: { completions: Completions } }).chat.completions;
}

/** Ids and status that a caller of `withResponse()` looks at. */
export function responseFacts(response: Response): object {
  return {
    status: response.status,
    requestId: response.headers.get('x-request-id'),
    bodyUsed: response.bodyUsed,
    class: response.constructor.name,
  };
}
