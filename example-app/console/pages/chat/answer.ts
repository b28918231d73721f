import { createParser } from 'eventsource-parser';
import { ApiError, budgetExceeded, callApi } from '../../api/client.ts';
import { t } from '../../texts.ts';

export interface Question {
  readonly user: string;
  /** Empty for a new one. */
  readonly conversation: string;
  readonly model: string;
  readonly message: string;
  readonly isStreamed: boolean;
}

interface Answer {
  readonly conversation_id: string;
  readonly response_id: string;
  readonly message: string;
}

export interface AnswerListener {
  readonly onConversation: (id: string) => void;
  /** The text so far, whenever it grows. */
  readonly onText: (text: string) => void;
}

type ChatEvent =
  | { readonly event: 'start'; readonly data: { readonly conversation_id: string } }
  | { readonly event: 'piece'; readonly data: { readonly text: string } }
  | { readonly event: 'end'; readonly data: Answer }
  | {
      readonly event: 'error';
      readonly data: { readonly status: number; readonly detail: string; readonly code?: string };
    };

/** Calls the chat API. */
export async function ask(
  { user, conversation, model, message, isStreamed }: Question,
  listener: AnswerListener,
  signal: AbortSignal,
): Promise<Answer> {
  const body = {
    user_id: user,
    model,
    message,
    stream: isStreamed,
    ...(conversation !== '' && { conversation_id: conversation }),
  };
  const reply = await callApi('/api/chat', { method: 'POST', body, signal });
  if (!isStreamed || !reply.body) {
    const answer = (await reply.json()) as Answer;
    listener.onConversation(answer.conversation_id);
    listener.onText(answer.message);
    return answer;
  }
  let text = '';
  for await (const { event, data } of chatEvents(reply.body)) {
    if (event === 'start') listener.onConversation(data.conversation_id);
    if (event === 'piece') listener.onText((text += data.text));
    if (event === 'error') {
      if (data.code === 'budget_exceeded') throw budgetExceeded(data);
      const detail = t('chat.providerFailed', { detail: data.detail });
      throw new ApiError(data.status, detail, data);
    }
    if (event === 'end') return data;
  }
  throw new ApiError(0, t('error.unreachable'));
}

/** Events of a response to a POST, which `EventSource` cannot send. */
async function* chatEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ChatEvent> {
  const received: ChatEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => received.push({ event, data: JSON.parse(data) } as ChatEvent),
  });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    parser.feed(value);
    yield* received.splice(0);
  }
}
