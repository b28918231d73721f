import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type ShownAmounts, budgetAnswer } from './budget-answer.ts';
import { budgetRefusal } from './budget-refusal.ts';

/**
 * A stream of server-sent events that ends with an event `error` where a budget refuses a call inside; its
 * data are those of the 429. Other errors stay errors.
 */
export function budgetErrorEvents(
  events: AsyncIterable<string | Uint8Array>,
  amounts?: ShownAmounts,
): Readable {
  async function* ended(): AsyncGenerator<string | Uint8Array> {
    try {
      yield* events;
    } catch (error) {
      const event = errorEvent(error, amounts);
      if (event === undefined) throw error;
      yield event;
    }
  }
  return Readable.from(ended(), { objectMode: false });
}

/**
 * Ends an answer that has begun. Server-sent events get an event `error`; anything else is cut off, so
 * that it does not look complete. False where the error has nothing to do with a budget.
 */
export function endStarted(
  response: ServerResponse,
  error: unknown,
  amounts?: ShownAmounts,
): boolean {
  const event = errorEvent(error, amounts);
  if (event === undefined) return false;
  if (isEventStream(response.getHeader('content-type'))) response.end(event);
  else response.destroy();
  return true;
}

export function isEventStream(contentType: unknown): boolean {
  return typeof contentType === 'string' && /^text\/event-stream\b/i.test(contentType);
}

function errorEvent(error: unknown, amounts?: ShownAmounts): string | undefined {
  const refusal = budgetRefusal(error);
  if (refusal === undefined) return undefined;
  return `event: error\ndata: ${JSON.stringify(budgetAnswer([refusal], amounts).body)}\n\n`;
}
