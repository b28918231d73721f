/**
 * Splits a body of server-sent events into the JSON of its events, as
 * https://html.spec.whatwg.org/multipage/server-sent-events.html has it. An event whose data is no JSON
 * (`[DONE]`, the remarks of a gateway) gives nothing and takes nothing else along.
 */
export class EventStream {
  readonly #onEvent: (data: unknown) => void;
  #unfinished = '';
  #data: string[] = [];

  constructor(onEvent: (data: unknown) => void) {
    this.#onEvent = onEvent;
  }

  add(text: string): void {
    const all = this.#unfinished + text;
    // The other half of a line end may be in the next piece.
    const held = all.endsWith('\r') ? '\r' : '';
    const lines = all.slice(0, all.length - held.length).split(/\r\n|\n|\r/);
    this.#unfinished = `${lines.pop() ?? ''}${held}`;
    for (const line of lines) this.#line(line);
  }

  /** What arrived of the last event is an event if it is whole. */
  end(): void {
    this.#line(this.#unfinished.replace(/\r$/, ''));
    this.#unfinished = '';
    this.#dispatch();
  }

  #line(line: string): void {
    if (line === '') this.#dispatch();
    else if (line.startsWith('data:')) this.#data.push(line.slice('data:'.length).trim());
  }

  #dispatch(): void {
    const data = this.#data;
    if (data.length === 0) return;
    this.#data = [];
    if (data.length > 1 && this.#take(data.join('\n'))) return;
    // Some servers leave out the empty line between two events.
    for (const line of data) this.#take(line);
  }

  #take(data: string): boolean {
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      return false;
    }
    this.#onEvent(event);
    return true;
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
