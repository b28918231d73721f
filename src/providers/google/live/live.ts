import { quietly } from '../../../host/quietly.ts';
import { fields } from '../../../tokens/json.ts';
import { serverAt } from '../../metered-promise.ts';
import { isPatched, replaceMethod } from '../../patching.ts';
import { refusedCall, type MakeRefusal } from '../../refused-call.ts';
import type { CurrentMeter } from '../../sdk-patch.ts';
import { LiveSession } from './live-session.ts';

interface Live {
  readonly apiClient?: { isVertexAI?: () => boolean; getWebsocketBaseUrl?: () => string };
}
interface Callbacks {
  readonly onopen?: (() => void) | null;
  readonly onerror?: ((event: unknown) => void) | null;
  readonly onmessage: (message: unknown) => void;
  readonly onclose?: ((event: unknown) => void) | null;
}
type Connect = (this: Live, params: unknown) => Promise<object>;
type SendContent = (this: object, params: unknown) => void;

/** By the object that `connect()` has given. */
const sessions = new WeakMap<object, LiveSession>();

/**
 * `ai.live.connect()`: the SDK gives each message to a callback of the application, around which ours is put. Of
 * what is sent only `sendClientContent()` is looked at; audio is sent at all times.
 */
export function patchLive(moduleExports: unknown, meter: CurrentMeter, refusal: MakeRefusal): void {
  const connectOwner = prototypeOf(moduleExports, 'Live', 'connect');
  const sendOwner = prototypeOf(moduleExports, 'Session', 'sendClientContent');
  if (connectOwner === undefined || isPatched(connectOwner, 'connect')) return;
  replaceMethod<Connect>(connectOwner, 'connect', (original) => meteredConnect(original, meter));
  if (sendOwner === undefined) return;
  replaceMethod<SendContent>(sendOwner, 'sendClientContent', (original) =>
    meteredContent(original, refusal),
  );
}

function prototypeOf(moduleExports: unknown, name: string, method: string): object | undefined {
  const exported = fields(moduleExports)[name];
  const prototype = typeof exported === 'function' ? (exported.prototype as unknown) : undefined;
  const isFit = typeof prototype === 'object' && prototype !== null;
  return isFit && Object.hasOwn(prototype, method) ? prototype : undefined;
}

function meteredConnect(original: Connect, meter: CurrentMeter): Connect {
  return function connect(this: Live, params: unknown): Promise<object> {
    const { callbacks, model } = fields(params);
    if (meter() === undefined || !hasOnMessage(callbacks)) return original.call(this, params);
    const { apiClient } = this;
    const live = quietly('opening a session', () => {
      const provider = apiClient?.isVertexAI?.() === true ? 'gcp.vertex_ai' : 'gcp.gemini';
      const source = { provider, ...serverAt(apiClient?.getWebsocketBaseUrl?.()) };
      return new LiveSession(meter, source, model);
    });
    if (live === undefined) return original.call(this, params);
    const watched = { ...(params as object), callbacks: observed(callbacks, live) };
    return original.call(this, watched).then((session) => {
      sessions.set(session, live);
      return session;
    });
  };
}

function hasOnMessage(callbacks: unknown): callbacks is Callbacks {
  return typeof fields(callbacks)['onmessage'] === 'function';
}

/** The others are those of the application, called on its own object. */
function observed(callbacks: Callbacks, live: LiveSession): Callbacks {
  return {
    onopen: () => callbacks.onopen?.(),
    onerror: (event: unknown) => callbacks.onerror?.(event),
    onmessage: (message) => {
      quietly('reading a message', () => live.received(message));
      callbacks.onmessage(message);
    },
    onclose: (event) => {
      quietly('ending a session', () => live.closed());
      callbacks.onclose?.(event);
    },
  };
}

function meteredContent(original: SendContent, refusal: MakeRefusal): SendContent {
  return function sendClientContent(this: object, params: unknown): void {
    const live = sessions.get(this);
    // The server waits for more otherwise.
    const isWhole = fields(params)['turnComplete'] !== false;
    const refused = isWhole ? quietly('sending a turn', () => live?.asked()) : undefined;
    if (refused !== undefined) throw refusedCall(refused, refusal);
    try {
      original.call(this, params);
    } catch (error) {
      if (isWhole) quietly('sending a turn', () => live?.unsent(error));
      throw error;
    }
  };
}
