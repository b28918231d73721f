import type { CountableInput } from '../domain/call-shape.ts';

/** What a caller may hand over as the input of a call: chat messages, or one text. */
interface GivenRequest {
  readonly messages?: unknown;
  readonly tools?: unknown;
}

/** Without messages the input is unknown, not empty. */
export function countableMessages(request: unknown): CountableInput {
  const { messages, tools } = (request ?? {}) as GivenRequest;
  if (typeof messages === 'string') {
    return { kind: 'chat', request: { messages: [{ role: 'user', content: messages }], tools } };
  }
  return Array.isArray(messages) ? { kind: 'chat', request } : { kind: 'unknown' };
}
