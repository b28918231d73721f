import { subscribe } from 'node:diagnostics_channel';
import { warnHost } from './host-warning.ts';

/** URL paths of chat calls, for the known SDKs. */
const CHAT_PATH =
  /\/(?:chat\/completions|responses|v1\/messages|v[12]\/chat|api\/chat)$|:(?:stream)?generateContent$/i;
/** Headers by which the known SDKs identify themselves. */
const SDK_HEADER = /x-stainless-lang|speakeasy-sdk|google-genai-sdk|x-fern-sdk|ollama-js/i;

/** A request that `fetch` is about to send, as published by undici. */
interface UndiciRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
}

/** State that the caller provides, since this room may not import the rooms that have it. */
export interface MeteringState {
  /** Metering is on. */
  readonly isMetering: () => boolean;
  /** The current code belongs to a call that is metered or will be. */
  readonly isWatched: () => boolean;
}

const WATCHED = Symbol.for('otel-token-meter.unmetered-watch');

/**
 * Detects an SDK that was imported before the instrumentation and is therefore not patched. Node
 * gives no hint of that, but the SDK's requests do: a metered call marks the Context of its
 * requests. Warns once per origin.
 */
export function watchUnmeteredCalls(process: MeteringState): void {
  const once = globalThis as { [WATCHED]?: true };
  if (once[WATCHED] === true) return;
  once[WATCHED] = true;
  subscribe('undici:request:create', (message) => {
    const { request } = message as { readonly request?: UndiciRequest };
    // Cheapest checks first: this runs for every request of the process.
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
