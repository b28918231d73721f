import { randomUUID } from 'node:crypto';
import type { OpenAI } from 'openai';
import { withUsageContext } from 'otel-token-meter';
import { Conversations } from './conversations.ts';

export interface ChatInput {
  readonly userId: string;
  /** @default a new conversation */
  readonly conversationId?: string | undefined;
  readonly team?: string | undefined;
  readonly dimensions?: Readonly<Record<string, string | undefined>> | undefined;
  readonly model: string;
  readonly message: string;
  readonly signal: AbortSignal;
}

export interface ChatAnswer {
  readonly conversationId: string;
  readonly responseId: string;
  readonly model: string;
  readonly text: string;
  /** As reported by the provider. */
  readonly usage: OpenAI.CompletionUsage | undefined;
}

/** Events of a streamed reply: any number of deltas, then the complete reply. */
export type ChatEvent =
  | { readonly type: 'start'; readonly conversationId: string }
  | { readonly type: 'piece'; readonly text: string }
  | { readonly type: 'end'; readonly answer: ChatAnswer };

/**
 * The metered service. It only sets user, conversation, team and dimensions with `withUsageContext`;
 * the instrumentation does the rest.
 */
export class ChatService {
  readonly #client: OpenAI;
  readonly #conversations = new Conversations();

  constructor(client: OpenAI) {
    this.#client = client;
  }

  /** Rejects with the error of the SDK. */
  async answer(input: ChatInput): Promise<ChatAnswer> {
    const { conversationId, messages, context } = this.#prepare(input);
    const reply = await withUsageContext(context, () =>
      this.#client.chat.completions.create(
        { model: input.model, messages },
        { signal: input.signal },
      ),
    );
    const text = reply.choices[0]?.message.content ?? '';
    this.#remember(input, conversationId, text);
    return { conversationId, responseId: reply.id, model: reply.model, text, usage: reply.usage };
  }

  /** Throws the error of the SDK, before or between events. */
  async *stream(input: ChatInput): AsyncGenerator<ChatEvent> {
    const { conversationId, messages, context } = this.#prepare(input);
    const chunks = await withUsageContext(context, () =>
      this.#client.chat.completions.create(
        { model: input.model, messages, stream: true },
        { signal: input.signal },
      ),
    );
    yield { type: 'start', conversationId };
    let text = '';
    let responseId = '';
    let model = input.model;
    let usage: OpenAI.CompletionUsage | undefined;
    for await (const chunk of chunks) {
      responseId = chunk.id;
      model = chunk.model;
      usage = chunk.usage ?? usage;
      const piece = chunk.choices[0]?.delta.content ?? '';
      if (piece !== '') yield { type: 'piece', text: piece };
      text += piece;
    }
    this.#remember(input, conversationId, text);
    yield { type: 'end', answer: { conversationId, responseId, model, text, usage } };
  }

  #prepare(input: ChatInput) {
    const { userId, conversationId = `conv-${randomUUID()}`, team, dimensions, message } = input;
    const history = this.#conversations.history(input, conversationId);
    return {
      conversationId,
      messages: [...history, { role: 'user' as const, content: message }],
      context: { userId, conversationId, team, dimensions },
    };
  }

  #remember(input: ChatInput, conversationId: string, text: string): void {
    this.#conversations.add(
      input,
      conversationId,
      { role: 'user', content: input.message },
      { role: 'assistant', content: text },
    );
  }
}
