import { randomUUID } from 'node:crypto';
import { countChat, countCompletion } from 'otel-token-meter/tokens';
import { answerTo, piecesOf } from './answer.ts';
import type {
  KnownConversations,
  RecordedMessage,
  RecordedToolCall,
} from './recorded-conversations.ts';

/** The part of a Chat Completions request that the demo model uses. */
export interface CompletionRequest {
  readonly model: string;
  readonly messages: readonly { readonly role?: unknown; readonly content?: unknown }[];
  readonly stream?: boolean | null;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  readonly metadata?: { readonly conversation_id?: string } | null;
}

/** A complete answer, sent as one response or as a stream. */
export interface Completion {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly text: string | null;
  readonly toolCalls: readonly RecordedToolCall[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
}

export function complete(request: CompletionRequest, known: KnownConversations): Completion {
  const recorded = known.next(request.metadata?.conversation_id, request.messages.length);
  const turn: RecordedMessage = recorded ?? {
    role: 'assistant',
    content: answerTo(lastUserText(request)),
  };
  const toolCalls = turn.tool_calls ?? [];
  const input = countChat(request, request.model).tokens;
  const output = countCompletion(
    {
      text: turn.content ?? undefined,
      toolCalls: toolCalls.map(({ function: called }) => called),
    },
    request.model,
    request,
  ).tokens;
  return {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    text: turn.content ?? null,
    toolCalls,
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  };
}

function lastUserText({ messages }: CompletionRequest): string {
  const content = messages.findLast((message) => message.role === 'user')?.content;
  if (typeof content === 'string') return content;
  const parts = Array.isArray(content) ? (content as { text?: unknown }[]) : [];
  return parts.flatMap(({ text }) => (typeof text === 'string' ? text : [])).join(' ');
}

function finishReason({ toolCalls }: Completion): string {
  return toolCalls.length > 0 ? 'tool_calls' : 'stop';
}

function callsOf(completion: Completion): object[] {
  return completion.toolCalls.map((call, index) => ({
    id: call.id ?? `call_${index}`,
    type: 'function',
    function: call.function,
  }));
}

/** The complete response. Usage is optional, since some compatible servers do not report it. */
export function asReply(completion: Completion, withUsage: boolean): object {
  const { id, created, model, text, usage } = completion;
  const calls = callsOf(completion);
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text,
          refusal: null,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finishReason(completion),
      },
    ],
    ...(withUsage && { usage }),
  };
}

/** Chunks of a stream, without the final `[DONE]`. */
export function* asChunks(completion: Completion, withUsage: boolean): Generator<object> {
  const { id, created, model, text, usage } = completion;
  const head = { id, object: 'chat.completion.chunk', created, model };
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(withUsage && { usage: null }),
  });
  yield chunk({ role: 'assistant', content: text === null ? null : '' });
  for (const content of piecesOf(text ?? '')) yield chunk({ content });
  for (const [index, call] of callsOf(completion).entries()) {
    const { function: called, ...rest } = call as { function: RecordedToolCall['function'] };
    yield chunk({ tool_calls: [{ index, ...rest, function: { ...called, arguments: '' } }] });
    for (const piece of piecesOf(called.arguments)) {
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  yield chunk({}, finishReason(completion));
  if (withUsage) yield { ...head, choices: [], usage };
}
