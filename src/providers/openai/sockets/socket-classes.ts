import { EventEmitter } from 'node:events';
import { setOwn } from '../../../host/own-property.ts';
import { quietly } from '../../../host/quietly.ts';
import { fields, isObject, type JsonObject } from '../../../tokens/json.ts';
import { isPatched, ownerOf, replaceMethod } from '../../patching.ts';
import { refusedCall } from '../../refused-call.ts';
import type { CurrentMeter, PatchOutcome } from '../../sdk-patch.ts';
import { RealtimeSession } from './realtime-session.ts';
import { ResponsesSession } from './responses-session.ts';
import type { SocketSession } from './socket-session.ts';

/** `OpenAIRealtimeWS`, `OpenAIRealtimeWebSocket` or `ResponsesWS`, as far as it is needed. */
interface SocketClient {
  readonly url?: unknown;
  readonly socket?: Socket;
  _onError?(event: null, message: string, cause: unknown): void;
}
/** Of the platform, of `ws`, or the adapter of the SDK. */
interface Socket {
  readonly readyState?: unknown;
  on?(event: 'close', listener: () => void): void;
  addEventListener?(type: 'close', listener: () => void): void;
}
type Method = (this: SocketClient, ...args: unknown[]) => unknown;

const OPEN = 1;
const SENDERS = ['send', 'sendRaw', 'sendResponseCreate'] as const;

/**
 * Patches the classes that speak with OpenAI over a socket: all that arrives goes through `_emit`, which they
 * inherit from an emitter of the SDK, and all that is sent through a method of theirs. `unfit`: there are none.
 */
export function patchSocketClasses(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
  let outcome: PatchOutcome = 'unfit';
  for (const exported of Object.values(fields(moduleExports))) {
    const prototype = typeof exported === 'function' ? (exported.prototype as unknown) : undefined;
    if (!isSocketClass(prototype)) continue;
    if (isObserved(prototype)) {
      if (outcome === 'unfit') outcome = 'already-patched';
      continue;
    }
    const sessions = new Sessions(meter);
    observeEmit(prototype, sessions);
    for (const name of SENDERS) observeSend(prototype, name, sessions);
    outcome = 'patched';
  }
  return outcome;
}

function isSocketClass(prototype: unknown): prototype is object {
  const has = (name: string): boolean => ownerOf(prototype, name) !== undefined;
  return has('_emit') && has('_onError') && has('send') && has('close');
}

/** By itself, or by the class that it extends. */
function isObserved(prototype: object): boolean {
  const owner = ownerOf(prototype, '_emit');
  return owner !== undefined && isPatched(owner, '_emit');
}

/** An own method of the class: its emitter is that of other classes as well. */
function observeEmit(prototype: object, sessions: Sessions): void {
  const inherited = Object.getPrototypeOf(prototype) as object;
  if (!Object.hasOwn(prototype, '_emit')) {
    Object.defineProperty(prototype, '_emit', {
      configurable: true,
      writable: true,
      value: function _emit(this: unknown, ...args: unknown[]): unknown {
        return (Reflect.get(inherited, '_emit', this) as Method).apply(this as SocketClient, args);
      },
    });
  }
  replaceMethod<Method>(
    prototype,
    '_emit',
    (original) =>
      function _emit(this: SocketClient, ...args) {
        const [name, event] = args;
        // Each event of the server is emitted under this name, and once more under its own.
        if (name === 'event' && isObject(event)) {
          quietly('reading an event', () => sessions.of(this)?.received(event));
        }
        return original.apply(this, args);
      },
  );
}

function observeSend(prototype: object, name: string, sessions: Sessions): void {
  const owner = ownerOf(prototype, name);
  if (owner === undefined || isPatched(owner, name)) return;
  replaceMethod<Method>(
    owner,
    name,
    (original) =>
      function (this: SocketClient, ...args) {
        if (this.socket?.readyState === OPEN) {
          const event = quietly('reading an event', () => eventOf(args[0]));
          const refusal =
            event && quietly('sending an event', () => sessions.of(this)?.sent(event));
          if (refusal !== undefined) {
            const error = refusedCall(refusal);
            return this._onError?.(null, error.message, error);
          }
        }
        return original.apply(this, args);
      },
  );
}

/** No listener: the application may count and remove those of its socket. */
function observeClose(socket: EventEmitter, end: () => void): void {
  const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
  setOwn(socket, 'emit', (...args: unknown[]): boolean => {
    try {
      return emit(...args);
    } finally {
      if (args[0] === 'close') end();
    }
  });
}

/** Only what asks for a response; other events are many, and hold audio. */
function eventOf(sent: unknown): JsonObject | undefined {
  if (isObject(sent)) return sent['type'] === 'response.create' ? sent : undefined;
  if (typeof sent !== 'string' || !sent.slice(0, 1000).includes('response.create'))
    return undefined;
  const event: unknown = JSON.parse(sent);
  return isObject(event) && event['type'] === 'response.create' ? event : undefined;
}

/** The sessions of the clients of a class. */
class Sessions {
  readonly #meter: CurrentMeter;
  readonly #known = new WeakMap<object, SocketSession>();
  readonly #sockets = new WeakSet<object>();

  constructor(meter: CurrentMeter) {
    this.#meter = meter;
  }

  /** Undefined while metering is off and has never been on for this session. */
  of(client: SocketClient): SocketSession | undefined {
    const session = this.#known.get(client) ?? this.#begin(client);
    if (session !== undefined) this.#watch(client.socket, session);
    return session;
  }

  #begin(client: SocketClient): SocketSession | undefined {
    if (this.#meter() === undefined) return undefined;
    const url = new URL(String(client.url));
    const session = url.pathname.endsWith('/responses')
      ? new ResponsesSession(this.#meter, url)
      : new RealtimeSession(this.#meter, url);
    this.#known.set(client, session);
    return session;
  }

  /** After a lost connection a client may have another socket. */
  #watch(socket: Socket | undefined, session: SocketSession): void {
    if (socket === undefined || this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    const end = (): void => quietly('ending a session', () => session.closed());
    if (socket instanceof EventEmitter) observeClose(socket, end);
    else if (typeof socket.on === 'function') socket.on('close', end);
    else socket.addEventListener?.('close', end);
  }
}
