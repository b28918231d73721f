import { EventEmitter } from 'node:events';
import type { ChatCall } from '../../../call/chat-call.ts';
import { setOwn } from '../../../host/own-property.ts';
import { quietly } from '../../../host/quietly.ts';
import type { JsonObject } from '../../../tokens/json.ts';
import type { SocketSession } from './socket-session.ts';

/** Of the platform, of `ws`, or the adapter of the SDK. */
export interface Socket {
  readonly readyState?: unknown;
  readonly send?: unknown;
  on?(event: 'close', listener: () => void): void;
  addEventListener?(type: 'close', listener: () => void): void;
}

/** `OpenAIRealtimeWS`, `OpenAIRealtimeWebSocket` or `ResponsesWS`, as far as it is needed. */
export interface SocketClient {
  readonly url?: unknown;
  readonly socket?: Socket;
  /** Of clients that queue what is sent before their socket is open. */
  readonly _createSocket?: unknown;
  /** Of realtime clients that connect again. */
  readonly _recovery?: unknown;
  _onError?(event: null, message: string, cause: unknown): void;
}

/** A request that the SDK sends at once, or keeps until its socket is open. */
export interface Unsent {
  readonly event: JsonObject;
  /** Undefined for one of the time that metering was off: its place in the order counts all the same. */
  readonly call: ChatCall | undefined;
}

const [CONNECTING, OPEN] = [0, 1];

/**
 * The session of a client, over one socket after the other. A request is asked of the server only when the socket
 * has got it: the SDK may keep it in a queue, give it back to the application, or be unable to send it.
 */
export class WatchedClient {
  readonly #session: SocketSession;
  readonly #sockets = new WeakSet<object>();
  /** In the order in which they will be sent. */
  #unsent: Unsent[] = [];
  #sending: Unsent | undefined;

  constructor(session: SocketSession) {
    this.#session = session;
  }

  /** A request with its call; undefined for one that a closed socket loses without a word. */
  asked(event: JsonObject, { socket, _createSocket, _recovery }: SocketClient): Unsent | undefined {
    const state = socket?.readyState;
    // A client with a queue has its request there or reports an error.
    const hasQueue = _createSocket !== undefined || _recovery !== undefined;
    if (state !== OPEN && state !== CONNECTING && !hasQueue) return undefined;
    const unsent = { event, call: this.#session.asked(event) };
    if (unsent.call?.refusal === undefined) this.#unsent.push(unsent);
    return unsent;
  }

  /** Runs what sends a request. */
  sending<T>(unsent: Unsent, send: () => T): T {
    const before = this.#sending;
    this.#sending = unsent;
    try {
      return send();
    } catch (error) {
      this.couldNotSend(error);
      throw error;
    } finally {
      this.#sending = before;
    }
  }

  /** The client reports an error of its own. `cause` is undefined where its queue is full. */
  couldNotSend(cause: unknown): void {
    const failed = this.#sending;
    if (failed === undefined || !this.#unsent.includes(failed)) return;
    this.#unsent = this.#unsent.filter((unsent) => unsent !== failed);
    if (cause === undefined) failed.call?.failedWith({ outcome: 'error', type: 'not_sent' });
    else failed.call?.failed(cause);
  }

  /** The client has nothing in its queue any more. */
  emptied(): void {
    for (const { call } of this.#unsent) call?.streamEnded();
    this.#unsent = [];
  }

  emitted(name: unknown, event: unknown): void {
    // Each event of the server is emitted under this name, and once more under its own.
    if (name === 'event') this.#session.received(event as JsonObject);
    else if (name === 'close') this.emptied();
  }

  /** After a lost connection a client may have another socket. */
  watch(socket: Socket | undefined): void {
    if (socket === undefined || this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    this.#observeSend(socket);
    const end = (): void => quietly('ending a session', () => this.#session.closed());
    if (socket instanceof EventEmitter) observeClose(socket, end);
    else if (typeof socket.on === 'function') socket.on('close', end);
    else socket.addEventListener?.('close', end);
  }

  #observeSend(socket: Socket): void {
    const { send } = socket;
    if (typeof send !== 'function') return;
    const original = send.bind(socket) as (...args: unknown[]) => unknown;
    setOwn(socket, 'send', (...args: unknown[]): unknown => {
      const result = original(...args);
      quietly('sending an event', () => this.#transmitted(args[0]));
      return result;
    });
  }

  #transmitted(data: unknown): void {
    // Cheap enough for audio, which is looked at only while a request waits.
    if (this.#unsent.length === 0 || typeof data !== 'string') return;
    if (!data.includes('"response.create"')) return;
    const first = this.#unsent.shift();
    if (first !== undefined) this.#session.sent(first.event, first.call);
  }
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
