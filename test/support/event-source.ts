import { createParser } from 'eventsource-parser';
import { until } from './until.ts';

interface ReceivedEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: Record<string, unknown>;
}

/** Server-sent events over `fetch`. */
export interface ReceivedEvents {
  readonly answer: Response;
  readonly events: readonly ReceivedEvent[];
  /** True once the server ended the stream. */
  readonly ended: boolean;
  /** Waits for the first matching event. */
  next(fits: (event: ReceivedEvent) => boolean, timeoutMs?: number): Promise<ReceivedEvent>;
  close(): void;
}

export async function receiveEvents(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<ReceivedEvents> {
  const abort = new AbortController();
  const answer = await fetch(url, { headers, signal: abort.signal });
  const events: ReceivedEvent[] = [];
  let ended = false;
  const read = async (): Promise<void> => {
    const parser = createParser({
      onEvent({ id, event, data }) {
        events.push({
          ...(id !== undefined && { id }),
          ...(event !== undefined && { event }),
          data: JSON.parse(data) as Record<string, unknown>,
        });
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    }
  };
  if (answer.ok) {
    void read()
      .catch(() => undefined)
      .finally(() => (ended = true));
  }
  return {
    answer,
    events,
    get ended() {
      return ended;
    },
    async next(fits, timeoutMs) {
      await until(() => events.some(fits), timeoutMs);
      return events.find(fits)!;
    },
    close: () => abort.abort(),
  };
}
