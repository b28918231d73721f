import type { BaseChatModel as Base } from '@langchain/core/language_models/chat_models';
import type { AIMessage, AIMessageChunk, BaseMessage } from '@langchain/core/messages';
import type { ChatGenerationChunk } from '@langchain/core/outputs';

/** Parts of @langchain/core that a chat model needs, from one build. */
export interface LangchainCore {
  readonly BaseChatModel: typeof Base;
  readonly AIMessage: typeof AIMessage;
  readonly AIMessageChunk: typeof AIMessageChunk;
  readonly ChatGenerationChunk: typeof ChatGenerationChunk;
}

interface Choice {
  readonly message?: { readonly content: string };
  readonly delta?: { readonly content?: string };
  readonly finish_reason: string | null;
}
interface Body {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

/** A custom chat model that uses `fetch`, so its calls are visible only to LangChain. */
export function plainChatModel(core: LangchainCore, url: string): Base {
  const about = (body: Body): object => ({
    id: body.id,
    response_metadata: { model_name: body.model, finish_reason: body.choices[0]?.finish_reason },
    usage_metadata: body.usage && {
      input_tokens: body.usage.prompt_tokens,
      output_tokens: body.usage.completion_tokens,
      total_tokens: body.usage.prompt_tokens + body.usage.completion_tokens,
    },
  });

  class ChatPlain extends core.BaseChatModel {
    model = 'plain-1';

    _llmType(): string {
      return 'plain';
    }

    async _generate(messages: BaseMessage[], options: { signal?: AbortSignal }) {
      const response = await this.#ask(messages, options.signal);
      const body = (await response.json()) as Body;
      const text = body.choices[0]?.message?.content ?? '';
      const message = new core.AIMessage({ content: text, ...about(body) });
      return { generations: [{ text, message }] };
    }

    override async *_streamResponseChunks(
      messages: BaseMessage[],
      options: { signal?: AbortSignal },
    ): AsyncGenerator<ChatGenerationChunk> {
      const response = await this.#ask(messages, options.signal);
      for await (const piece of response.body ?? []) {
        for (const line of Buffer.from(piece).toString().split('\n')) {
          if (!line.startsWith('data: {')) continue;
          const body = JSON.parse(line.slice('data: '.length)) as Body;
          const text = body.choices[0]?.delta?.content ?? '';
          const message = new core.AIMessageChunk({ content: text, ...about(body) });
          yield new core.ChatGenerationChunk({ text, message });
        }
      }
    }

    async #ask(messages: BaseMessage[], signal: AbortSignal | undefined): Promise<Response> {
      const response = await fetch(url, {
        method: 'POST',
        body: JSON.stringify({ messages: messages.map(({ content }) => content) }),
        signal: signal ?? null,
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return response;
    }
  }
  return new ChatPlain({ maxRetries: 0 });
}
