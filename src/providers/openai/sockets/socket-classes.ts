import { quietly } from '../../../host/quietly.ts';
import { fields, isObject, type JsonObject } from '../../../tokens/json.ts';
import { isPatched, ownerOf, replaceMethod } from '../../patching.ts';
import { refusedCall } from '../../refused-call.ts';
import type { CurrentMeter, PatchOutcome } from '../../sdk-patch.ts';
import { RealtimeSession } from './realtime-session.ts';
import { ResponsesSession } from './responses-session.ts';
import { WatchedClient, type SocketClient } from './watched-client.ts';

type Method = (this: SocketClient, ...args: unknown[]) => unknown;

/** What a client emits of its session: events of the server, and its own end. */
const EMITTED: readonly unknown[] = ['event', 'close'];
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
    observeErrors(prototype, sessions);
    observeSockets(prototype, sessions);
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

function observeEmit(prototype: object, sessions: Sessions): void {
  replaceInherited(
    prototype,
    '_emit',
    (original) =>
      function _emit(this: SocketClient, ...args) {
        const [name, event] = args;
        if (EMITTED.includes(name) && (name !== 'event' || isObject(event))) {
          quietly('reading an event', () => sessions.of(this).emitted(name, event));
        }
        return original.apply(this, args);
      },
  );
}

function observeErrors(prototype: object, sessions: Sessions): void {
  replaceInherited(
    prototype,
    '_onError',
    (original) =>
      function _onError(this: SocketClient, ...args) {
        const [event, , cause] = args;
        // Not one that the server has sent.
        if (!isObject(event)) {
          quietly('reading an error', () => sessions.known(this)?.couldNotSend(cause));
        }
        return original.apply(this, args);
      },
  );
}

/** Queues are sent as soon as the socket is open, or when the application says so. */
function observeSockets(prototype: object, sessions: Sessions): void {
  const owned = (name: string, wrap: (original: Method) => Method): void => {
    const owner = ownerOf(prototype, name);
    if (owner !== undefined && !isPatched(owner, name)) replaceMethod<Method>(owner, name, wrap);
  };
  owned(
    '_createSocket',
    (original) =>
      function (this: SocketClient, ...args) {
        const socket = original.apply(this, args);
        if (isObject(socket)) quietly('opening a socket', () => sessions.of(this).watch(socket));
        return socket;
      },
  );
  owned(
    'flushPending',
    (original) =>
      function (this: SocketClient, ...args) {
        quietly('sending a queue', () => sessions.of(this));
        return original.apply(this, args);
      },
  );
  owned(
    'takePending',
    (original) =>
      function (this: SocketClient, ...args) {
        quietly('emptying a queue', () => sessions.known(this)?.emptied());
        return original.apply(this, args);
      },
  );
}

/** An own method of the class: what it inherits is that of other classes as well. */
function replaceInherited(
  prototype: object,
  name: '_emit' | '_onError',
  wrap: (original: Method) => Method,
): void {
  const inherited = Object.getPrototypeOf(prototype) as object;
  if (!Object.hasOwn(prototype, name)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value: function (this: SocketClient, ...args: unknown[]): unknown {
        return (Reflect.get(inherited, name, this) as Method).apply(this, args);
      },
    });
  }
  replaceMethod<Method>(prototype, name, wrap);
}

function observeSend(prototype: object, name: string, sessions: Sessions): void {
  const owner = ownerOf(prototype, name);
  if (owner === undefined || isPatched(owner, name)) return;
  replaceMethod<Method>(
    owner,
    name,
    (original) =>
      function (this: SocketClient, ...args) {
        const send = (): unknown => original.apply(this, args);
        const event = quietly('reading an event', () => eventOf(args[0]));
        if (event === undefined) return send();
        const watched = quietly('opening a session', () => sessions.of(this));
        const unsent = quietly('sending an event', () => watched?.asked(event, this));
        if (watched === undefined || unsent === undefined) return send();
        const refusal = unsent.call?.refusal;
        if (refusal !== undefined) {
          const error = refusedCall(refusal);
          return this._onError?.(null, error.message, error);
        }
        return watched.sending(unsent, send);
      },
  );
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
  readonly #clients = new WeakMap<object, WatchedClient>();

  constructor(meter: CurrentMeter) {
    this.#meter = meter;
  }

  known(client: SocketClient): WatchedClient | undefined {
    return this.#clients.get(client);
  }

  /** Kept while metering is off too: replies of that time are not those of requests that come later. */
  of(client: SocketClient): WatchedClient {
    const watched = this.known(client) ?? this.#begin(client);
    watched.watch(client.socket);
    return watched;
  }

  #begin(client: SocketClient): WatchedClient {
    const url = new URL(String(client.url));
    const watched = new WatchedClient(
      url.pathname.endsWith('/responses')
        ? new ResponsesSession(this.#meter, url)
        : new RealtimeSession(this.#meter, url),
    );
    this.#clients.set(client, watched);
    return watched;
  }
}
