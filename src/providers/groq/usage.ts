import { objectAt, type JsonObject } from '../../tokens/json.ts';

/**
 * The usage object of a chat reply or stream chunk. In a stream it stands in `x_groq.usage` of the
 * last chunk; in a whole reply that place holds hardware cache statistics and `usage` is meant.
 */
export function groqUsageObject(body: JsonObject, streamed: boolean): unknown {
  const usage = body['usage'] ?? undefined;
  return usage === undefined && streamed ? objectAt(body, 'x_groq')?.['usage'] : usage;
}
