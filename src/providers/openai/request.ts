import type { RequestFacts } from '../../domain/request-facts.ts';
import { fields, text } from '../../tokens/json.ts';

/** JsonObject that the OpenAI style of request has in every kind of call. */
export function openaiRequest(request: unknown): RequestFacts {
  const body = fields(request);
  const metadata = fields(body['metadata']);
  const { conversation } = body;
  return {
    model: text(body['model']),
    stream: body['stream'] === true,
    userId: text(body['user']) ?? text(metadata['user_id']),
    opaqueUserId: text(body['safety_identifier']),
    conversationId:
      text(conversation) ?? text(fields(conversation)['id']) ?? text(metadata['conversation_id']),
    opaqueConversationId: text(body['prompt_cache_key']),
  };
}
