import type { ChatCall } from '../../../call/chat-call.ts';
import { fields, stringAt, text, toJson, type JsonObject } from '../../../tokens/json.ts';
import { failureIn } from '../../reply-failure.ts';
import type { CurrentMeter } from '../../sdk-patch.ts';
import { transcription } from '../media.ts';
import { realtimeResponse } from './realtime-response.ts';
import { SessionCalls } from './session-calls.ts';
import type { SocketSession } from './socket-session.ts';

const TRANSCRIPTION = 'conversation.item.input_audio_transcription.';

/** Pieces of audio and responses that are remembered; beyond, the oldest are forgotten. */
const REMEMBERED_MAX = 1000;

/** A response that was asked for and has not begun. */
interface Asked {
  /** Undefined where metering was off. */
  readonly call: ChatCall | undefined;
  readonly eventId: string | undefined;
  /** JSON of what the response repeats. */
  readonly metadata: string;
}

/**
 * A session of the Realtime API. Each response is a call, whether the client asked for it or the server heard
 * the end of a turn, and so is each transcription of what was said, which another model makes.
 */
export class RealtimeSession implements SocketSession {
  readonly #calls: SessionCalls;
  #model: string | undefined;
  #transcribedBy: string | undefined;
  readonly #asked: Asked[] = [];
  /** By the id of the response. */
  readonly #running = new Map<unknown, ChatCall | undefined>();
  /** Ids of responses. */
  readonly #ended = new Set<unknown>();
  /** Responses that may still come of requests that an error seems to have refused. */
  #doubts = 0;
  /** When audio was complete, by the id of its item. */
  readonly #committedMs = new Map<unknown, number>();

  constructor(meter: CurrentMeter, url: URL) {
    this.#calls = new SessionCalls(meter, url);
    this.#model = text(url.searchParams.get('model')) ?? text(url.searchParams.get('deployment'));
  }

  asked(event: JsonObject): ChatCall | undefined {
    return this.#start(fields(event['response']), 'asked');
  }

  sent(event: JsonObject, call: ChatCall | undefined): void {
    const metadata = metadataOf(fields(event['response']));
    this.#asked.push({ call, eventId: text(event['event_id']), metadata });
  }

  received(event: JsonObject): void {
    const { type } = event;
    if (typeof type !== 'string') return;
    if (type === 'response.created') this.#begin(event);
    else if (type === 'response.done') this.#end(event);
    // Of the others only these are replies of the model.
    else if (type.endsWith('.delta')) this.#running.get(event['response_id'])?.event(event);
    else if (type === 'error') this.#refused(fields(event['error']), failureIn(event) ?? 'error');
    else if (type === 'input_audio_buffer.committed') this.#committed(event['item_id']);
    else if (type.startsWith(TRANSCRIPTION)) this.#transcribed(type, event);
    else if (event['session'] !== undefined) this.#describe(fields(event['session']));
  }

  closed(): void {
    for (const call of this.#running.values()) call?.streamEnded();
    for (const { call } of this.#asked) call?.streamEnded();
    this.#running.clear();
    this.#asked.length = 0;
    this.#doubts = 0;
  }

  #start(request: JsonObject, by: 'asked' | 'server' | 'unknown'): ChatCall | undefined {
    return this.#calls.start({
      shape: realtimeResponse,
      request,
      model: this.#model,
      isUnderway: by !== 'asked',
      isOfNobody: by === 'unknown',
    });
  }

  #begin(event: JsonObject): void {
    const response = fields(event['response']);
    const { id } = response;
    if (this.#running.has(id)) return;
    const asked = this.#asker(metadataOf(response));
    const call = asked === undefined ? this.#startUnasked(response) : asked.call;
    if (asked === undefined && call === undefined) return;
    call?.announced(event);
    this.#running.set(id, call);
  }

  #asker(metadata: string): Asked | undefined {
    const index = this.#asked.findIndex((asked) => asked.metadata === metadata);
    return index < 0 ? undefined : this.#asked.splice(index, 1)[0];
  }

  #startUnasked(response: JsonObject): ChatCall | undefined {
    const by = this.#doubts > 0 ? 'unknown' : 'server';
    this.#doubts = Math.max(0, this.#doubts - 1);
    return this.#start(response, by);
  }

  #end(event: JsonObject): void {
    const response = fields(event['response']);
    const { id } = response;
    if (this.#ended.has(id)) return;
    // Metering may have been switched on in the middle.
    const call = this.#running.has(id) ? this.#running.get(id) : this.#startUnasked(response);
    this.#running.delete(id);
    if (id !== undefined) {
      this.#ended.add(id);
      keepNewest(this.#ended);
    }
    call?.announced(event);
    call?.streamEnded(true);
  }

  /** An error that names no event may concern any of those without an id: unless it says which, the request. */
  #refused({ event_id: eventId, code, param }: JsonObject, type: string): void {
    const named = text(eventId);
    const isOfResponse =
      code === 'conversation_already_has_active_response' ||
      text(param)?.startsWith('response') === true;
    const isOfOther = text(param) !== undefined || text(code)?.startsWith('input_audio_buffer');
    if (named === undefined && !isOfResponse && isOfOther === true) return;
    const index = this.#asked.findIndex((asked) => asked.eventId === named);
    const [asked] = index < 0 ? [] : this.#asked.splice(index, 1);
    // Its response may come all the same.
    if (asked !== undefined && named === undefined && !isOfResponse) this.#doubts += 1;
    asked?.call?.failedWith({ outcome: 'error', type });
  }

  #committed(itemId: unknown): void {
    this.#committedMs.set(itemId, performance.now());
    keepNewest(this.#committedMs);
  }

  #transcribed(type: string, event: JsonObject): void {
    const isFailed = type === `${TRANSCRIPTION}failed`;
    if (!isFailed && type !== `${TRANSCRIPTION}completed`) return;
    const { item_id: itemId } = event;
    const now = performance.now();
    const durationMs = now - (this.#committedMs.get(itemId) ?? now);
    this.#committedMs.delete(itemId);
    const failure = isFailed ? (failureIn(event) ?? 'failed') : undefined;
    this.#calls.finished(transcription, this.#transcribedBy, event, durationMs, failure);
  }

  #describe(session: JsonObject): void {
    this.#model = text(session['model']) ?? this.#model;
    const { input } = fields(session['audio']);
    this.#transcribedBy =
      stringAt(fields(input)['transcription'], 'model') ??
      stringAt(session['input_audio_transcription'], 'model') ??
      this.#transcribedBy;
  }
}

function keepNewest(of: Map<unknown, unknown> | Set<unknown>): void {
  const [oldest] = of.keys();
  if (of.size > REMEMBERED_MAX) of.delete(oldest);
}

function metadataOf(response: JsonObject): string {
  // The server may send none for an empty one, and keys in an order of its own.
  const entries = Object.entries(fields(response['metadata']));
  return entries.length === 0 ? '' : toJson(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
