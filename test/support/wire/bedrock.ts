import { requireInside } from '../sdk-versions.ts';
import type { Script } from './wire-server.ts';

const USAGE = {
  inputTokens: 12,
  outputTokens: 9,
  totalTokens: 41,
  cacheReadInputTokens: 15,
  cacheWriteInputTokens: 5,
};
const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];
const EVENT_STREAM = { 'content-type': 'application/vnd.amazon.eventstream' };

/** The codec that the SDK uses for its events. */
const inSdk = requireInside('@aws-sdk/client-bedrock-runtime');
const { EventStreamCodec } = inSdk('@smithy/core/event-streams') as {
  readonly EventStreamCodec: new (
    toText: unknown,
    toBytes: unknown,
  ) => { encode(message: object): Uint8Array };
};
const { fromUtf8, toUtf8 } = inSdk('@smithy/core/serde') as {
  readonly fromUtf8: (text: string) => Uint8Array;
  readonly toUtf8: unknown;
};
const codec = new EventStreamCodec(toUtf8, fromUtf8);

/** One event in the binary framing of AWS event streams. */
function event(type: string, payload: object): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'event' },
      ':event-type': { type: 'string', value: type },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: fromUtf8(JSON.stringify(payload)),
  });
}

function exception(type: string, message: string): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'exception' },
      ':exception-type': { type: 'string', value: type },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: fromUtf8(JSON.stringify({ message })),
  });
}

function chunk(body: object): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(body)).toString('base64');
  return event('chunk', { bytes });
}

const HEADERS = { 'x-amzn-requestid': 'req-1' };

export const conversePlain: Script = {
  headers: HEADERS,
  body: JSON.stringify({
    output: { message: { role: 'assistant', content: [{ text: TEXT.join('') }] } },
    stopReason: 'end_turn',
    usage: USAGE,
    metrics: { latencyMs: 5 },
  }),
};

const DELTAS = TEXT.map((text) =>
  event('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }),
);
const STOP = event('messageStop', { stopReason: 'end_turn' });

export const converseStream: Script = {
  headers: { ...HEADERS, ...EVENT_STREAM },
  pieces: [
    event('messageStart', { role: 'assistant' }),
    ...DELTAS,
    STOP,
    event('metadata', { usage: USAGE, metrics: { latencyMs: 5 } }),
  ],
};

export const converseBareStream: Script = {
  ...converseStream,
  pieces: [
    event('messageStart', { role: 'assistant' }),
    ...DELTAS,
    event('contentBlockStop', { contentBlockIndex: 0 }),
    STOP,
  ],
};

export const converseThrottledStream: Script = {
  ...converseStream,
  pieces: [
    event('messageStart', { role: 'assistant' }),
    ...DELTAS.slice(0, 1),
    exception('throttlingException', 'Too many tokens'),
  ],
};

export const bedrockError: Script = {
  status: 400,
  headers: { 'x-amzn-errortype': 'ValidationException' },
  body: JSON.stringify({ message: 'The provided model identifier is invalid.' }),
};

/** One InvokeModel reply per model family, each with 12 input and 9 output tokens. */
export const INVOKE_BODIES: Readonly<Record<string, object>> = {
  'anthropic.claude-opus-5': {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5',
    content: [{ type: 'text', text: TEXT.join('') }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 12, output_tokens: 9 },
  },
  'amazon.nova-pro-v1:0': {
    output: { message: { role: 'assistant', content: [{ text: TEXT.join('') }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 12, outputTokens: 9, totalTokens: 21 },
  },
  'amazon.titan-text-express-v1': {
    inputTextTokenCount: 12,
    results: [{ tokenCount: 9, outputText: TEXT.join(''), completionReason: 'FINISH' }],
  },
  'meta.llama3-1-70b-instruct-v1:0': {
    generation: TEXT.join(''),
    prompt_token_count: 12,
    generation_token_count: 9,
    stop_reason: 'stop',
  },
  'deepseek.r1-v1:0': {
    choices: [{ text: TEXT.join(''), stop_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 9 },
  },
  'openai.gpt-oss-120b-1:0': {
    id: 'chatcmpl-1',
    model: 'gpt-oss-120b',
    choices: [
      { index: 0, message: { role: 'assistant', content: TEXT.join('') }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 12, completion_tokens: 9 },
  },
};

export function invokeReply(body: object, headers: Record<string, string> = {}): Script {
  return { headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
}

/** Counts only in headers, as with models of Cohere and Mistral on Bedrock. */
export const invokeCountedInHeaders: Script = invokeReply(
  { generations: [{ text: TEXT.join(''), finish_reason: 'COMPLETE' }] },
  { 'x-amzn-bedrock-input-token-count': '12', 'x-amzn-bedrock-output-token-count': '9' },
);

const METRICS = {
  'amazon-bedrock-invocationMetrics': { inputTokenCount: 12, outputTokenCount: 9 },
};

export const invokeLlamaStream: Script = {
  headers: { ...HEADERS, ...EVENT_STREAM },
  pieces: [
    ...TEXT.map((generation) => chunk({ generation, stop_reason: null })),
    chunk({ generation: '', stop_reason: 'stop', ...METRICS }),
  ],
};

/** Choices with text but without a message, and no usage in the body. */
export const invokeTextChoices: Script = invokeReply({
  choices: [{ text: TEXT.join(''), stop_reason: 'stop' }],
});

export const invokeClaudeStream: Script = {
  headers: { ...HEADERS, ...EVENT_STREAM },
  pieces: [
    chunk({
      type: 'message_start',
      message: {
        id: 'msg_01',
        model: 'claude-opus-5',
        usage: { input_tokens: 12, output_tokens: 1 },
      },
    }),
    ...TEXT.map((text) =>
      chunk({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    ),
    chunk({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { output_tokens: 9 },
    }),
    chunk({ type: 'message_stop', ...METRICS }),
  ],
};
