import { subscribe } from 'node:diagnostics_channel';
import { warnHost } from './host-warning.ts';

/** Chat calls of the known SDKs, by the end of their path. */
const CHAT_PATH =
  /\/(?:chat\/completions|responses|v1\/messages|v[12]\/chat|api\/chat)$|:(?:stream)?generateContent$/i;
/** What the known SDKs say of themselves in their headers. */
const SDK_HEADER = /x-stainless-lang|speakeasy-sdk|google-genai-sdk|x-fern-sdk|ollama-js/i;

/** What undici tells of a request that `fetch` is about to send. */
interface UndiciRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
}

/** What this room does not know of itself: the rooms of the call lie above it. */
export interface MeteringState {
  /** Metering is on. */
  readonly isMetering: () => boolean;
  /** The code that runs now belongs to a call that is metered, or will be. */
  readonly isWatched: () => boolean;
}

const WATCHED = Symbol.for('otel-token-meter.unmetered-watch');

/**
 * An SDK imported before the instrumentation is silently not patched: nothing in Node tells. Its
 * requests do, since a metered call marks the Context it sends them in. Warns once an address.
 */
export function watchUnmeteredCalls(process: MeteringState): void {
  const once = globalThis as { [WATCHED]?: true };
  if (once[WATCHED] === true) return;
  once[WATCHED] = true;
  subscribe('undici:request:create', (message) => {
    const { request } = message as { readonly request?: UndiciRequest };
    // The cheapest first: this is asked of every request of the process.
    if (request?.method !== 'POST' || !process.isMetering() || process.isWatched()) return;
    if (!isSdkChat(request)) return;
    warnHost(
      'TOKEN_METER_UNMETERED',
      `a chat call to ${String(request.origin)} is not metered: its SDK was imported before the ` +
        'instrumentation. Start with `node --import otel-token-meter/register`, or create ' +
        'TokenMeterInstrumentation in a file loaded first with --import, or pass the SDK by hand: ' +
        "instrumentation.instrument('openai', OpenAI)",
    );
  });
}

function isSdkChat({ path, headers }: UndiciRequest): boolean {
  if (typeof path !== 'string') return false;
  const [plain = ''] = path.split('?', 1);
  return CHAT_PATH.test(plain) && SDK_HEADER.test(String(headers));
}
