import type { CallShape } from '../../../domain/call-shape.ts';
import type { ChatCall } from '../../../call/chat-call.ts';
import { fields, text, type JsonObject } from '../../../tokens/json.ts';
import { failureIn } from '../../reply-failure.ts';
import { streamed } from '../../streamed.ts';
import type { CurrentMeter } from '../../sdk-patch.ts';
import { CLOSING, responses } from '../responses.ts';
import { SessionCalls } from './session-calls.ts';
import type { SocketSession } from './socket-session.ts';

/** `response.create` has the fields of a request, and events are those of a stream. */
const overSocket: CallShape = streamed(responses);

interface Lane {
  /** Asked for, and not begun. */
  readonly asked: (ChatCall | undefined)[];
  current: ChatCall | undefined;
}

/** The Responses API over a socket: one response after the other in each lane (`stream_id`). */
export class ResponsesSession implements SocketSession {
  readonly #calls: SessionCalls;
  readonly #lanes = new Map<unknown, Lane>();

  constructor(meter: CurrentMeter, url: URL) {
    this.#calls = new SessionCalls(meter, url);
  }

  asked(event: JsonObject): ChatCall | undefined {
    return this.#start(event, false);
  }

  sent(event: JsonObject, call: ChatCall | undefined): void {
    this.#lane(event).asked.push(call);
  }

  received(event: JsonObject): void {
    const { type } = event;
    const lane = this.#lane(event);
    if (type === 'error') return this.#failed(lane, event);
    if (type === 'response.created') {
      lane.current?.streamEnded();
      lane.current =
        lane.asked.length > 0 ? lane.asked.shift() : this.#start(fields(event['response']), true);
    }
    lane.current?.event(event);
    if (typeof type === 'string' && CLOSING.has(type)) {
      lane.current?.streamEnded(true);
      lane.current = undefined;
    }
  }

  closed(): void {
    for (const { current, asked } of this.#lanes.values()) {
      for (const call of [current, ...asked]) call?.streamEnded();
    }
    this.#lanes.clear();
  }

  /** An error with a status is the reply to a request that waits; that of a stream has none. */
  #failed(lane: Lane, event: JsonObject): void {
    const waiting = event['status'] === undefined ? undefined : lane.asked.shift();
    const call = waiting ?? lane.current ?? lane.asked.shift();
    if (call === lane.current) lane.current = undefined;
    const type = failureIn(event) ?? text(event['code']) ?? 'error';
    call?.failedWith({ outcome: 'error', type });
  }

  #start(request: JsonObject, isUnderway: boolean): ChatCall | undefined {
    return this.#calls.start({ shape: overSocket, request, model: undefined, isUnderway });
  }

  #lane({ stream_id: id }: JsonObject): Lane {
    let lane = this.#lanes.get(id);
    if (lane === undefined) this.#lanes.set(id, (lane = { asked: [], current: undefined }));
    return lane;
  }
}
