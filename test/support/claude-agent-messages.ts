/** Messages of Claude Code, in its words. */
export type Said = Readonly<Record<string, unknown>>;

export const SONNET = 'claude-sonnet-4-5-20250929';
export const HAIKU = 'claude-haiku-4-5-20251001';

const session = { session_id: 'session-1', uuid: '00000000-0000-4000-8000-000000000000' };

export const init: Said = {
  type: 'system',
  subtype: 'init',
  model: SONNET,
  tools: [],
  ...session,
};

export const words = { type: 'text', text: 'Twice a day.' };
export const toolUse = (id: string, name: string, input: object): object => ({
  type: 'tool_use',
  id,
  name,
  input,
});

const usageOf = (input: number, output: number, cache: object = {}): object => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  ...cache,
});

/** One block of a reply, with the output that had arrived when it was complete. */
export function callOf(id: string, input: number, block: object, cache: object = {}): Said {
  const message = {
    id,
    type: 'message',
    role: 'assistant',
    model: SONNET,
    content: [block],
    stop_reason: null,
    usage: usageOf(input, 1, cache),
  };
  return { type: 'assistant', message, parent_tool_use_id: null, ...session };
}

/** The same with the events of the API, as `includePartialMessages` adds them. */
export function streamEvents(id: string, input: number, output: number): readonly Said[] {
  const whole = callOf(id, input, words);
  const message = { ...(whole['message'] as object), content: [] };
  const event = (said: object): Said => ({
    type: 'stream_event',
    event: said,
    parent_tool_use_id: null,
    ...session,
  });
  return [
    event({ type: 'message_start', message }),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    whole,
    event({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { output_tokens: output },
    }),
    event({ type: 'message_stop' }),
  ];
}

export const inSubAgent = (id: string, said: Said): Said => ({ ...said, parent_tool_use_id: id });

export function toolResult(id: string, content: string, rest: object = {}): Said {
  const block = { type: 'tool_result', tool_use_id: id, content };
  return {
    type: 'user',
    message: { role: 'user', content: [block] },
    parent_tool_use_id: null,
    ...session,
    ...rest,
  };
}

/** Tokens of a model since the session began. */
export const total = (input: number, output: number, rest: object = {}): object => ({
  inputTokens: input,
  outputTokens: output,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  webSearchRequests: 0,
  costUSD: 0.1,
  contextWindow: 200_000,
  maxOutputTokens: 64_000,
  ...rest,
});

export const resultOf = (modelUsage: object, rest: object = {}): Said => ({
  type: 'result',
  subtype: 'success',
  is_error: false,
  duration_ms: 10,
  duration_api_ms: 8,
  num_turns: 1,
  result: 'High water is at 3.',
  total_cost_usd: 0.1,
  usage: usageOf(1, 1),
  modelUsage,
  permission_denials: [],
  ...session,
  ...rest,
});
