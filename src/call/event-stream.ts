import { createParser } from 'eventsource-parser';

/**
 * Splits a body of server-sent events into the JSON of its events. An event whose data is no JSON
 * (`[DONE]`, the remarks of a gateway) gives nothing and takes nothing else along.
 */
export class EventStream {
  readonly #parser: { feed(text: string): void };

  constructor(onEvent: (data: unknown) => void) {
    this.#parser = createParser({
      onEvent({ data }) {
        const event = parsed(data);
        if (event !== undefined) onEvent(event);
        else if (data.includes('\n')) {
          // Some servers leave out the empty line between two events.
          for (const line of data.split('\n')) {
            const single = parsed(line);
            if (single !== undefined) onEvent(single);
          }
        }
      },
    });
  }

  add(text: string): void {
    this.#parser.feed(text);
  }

  /** What arrived of the last event is an event if it is whole. */
  end(): void {
    this.#parser.feed('\n\n');
  }
}

/** JSON has no `undefined`. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Undefined while too little of the text is there to say. */
export function isEventStream(text: string): boolean | undefined {
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (/^(?:data|event|id|retry)?:/.test(start)) return true;
  return ['data:', 'event:', 'id:', 'retry:'].some((field) => field.startsWith(start))
    ? undefined
    : false;
}
