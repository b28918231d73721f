import { isObject } from '../tokens/json.ts';
import { idFrom } from '../domain/id-from.ts';
import type { CallShape } from '../domain/call-shape.ts';
import type { RequestFacts } from '../domain/request-facts.ts';

export type Identity = Pick<RequestFacts, 'userId' | 'conversationId'>;

const USER = ['userId', 'user_id', 'user', 'ls_user_id'];
const CONVERSATION = [
  'conversationId',
  'conversation_id',
  'threadId',
  'thread_id',
  'sessionId',
  'session_id',
  'chatId',
];

/** User and conversation in free fields that frameworks pass along, under the names in common use. */
export function namedIdentity(...sources: readonly unknown[]): Identity {
  return { userId: firstOf(sources, USER), conversationId: firstOf(sources, CONVERSATION) };
}

/** The same kind of call, by a layer that knows user and conversation from beside the request. */
export function withIdentity(shape: CallShape, identity: Identity | undefined): CallShape {
  if (identity?.userId === undefined && identity?.conversationId === undefined) return shape;
  return {
    ...shape,
    request(request) {
      const facts = shape.request(request);
      return {
        ...facts,
        userId: facts.userId ?? identity.userId,
        conversationId: facts.conversationId ?? identity.conversationId,
      };
    },
  };
}

function firstOf(sources: readonly unknown[], keys: readonly string[]): string | undefined {
  for (const source of sources) {
    if (!isObject(source)) continue;
    for (const key of keys) {
      const found = idFrom(source[key]);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
