import type { CallStart } from '../../call/call-start.ts';
import type { ChatCall } from '../../call/chat-call.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { startCall } from '../metered-promise.ts';
import { namedIdentity, withIdentity } from '../named-identity.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { providerName } from '../provider-names.ts';

interface OpenCall {
  readonly key: string;
  readonly call: ChatCall;
}

/** Providers whose models are patched, by the name models and events share. */
const patchedProviders = new Set<string>();

export function notePatchedProvider(name: string): void {
  patchedProviders.add(name);
}

/** Begun and not yet ended. A stream that is left never ends, so the oldest ones are given up. */
const OPEN_MAX = 1000;

/**
 * Calls known only by a start and an end event of the AI SDK: those of models that no patch and no wrapper
 * reaches. Where one does after all, the call ends without a record here. Failed and stopped calls have no
 * end event, and in version 6 nothing but the model ties the two together: the latest start is taken.
 */
export class LateCalls {
  readonly #meter: CurrentMeter;
  readonly #open: OpenCall[] = [];

  constructor(meter: CurrentMeter) {
    this.#meter = meter;
  }

  begin(key: string, shape: CallShape, event: JsonObject): void {
    if (patchedProviders.has(modelOf(event).provider ?? '')) return;
    const call = startCall(this.#meter, () => describe(shape, event));
    if (call === undefined) return;
    if (this.#open.length >= OPEN_MAX) this.#open.shift();
    this.#open.push({ key, call });
  }

  /** `result`: what the shape reads as the whole reply. */
  end(key: string, result: unknown): void {
    const at = this.#open.findLastIndex((open) => open.key === key);
    if (at < 0) return;
    const [open] = this.#open.splice(at, 1);
    // Switched off meanwhile: what has ended may be another call than what began.
    if (this.#meter() !== undefined) open?.call.complete(result);
  }
}

function describe(shape: CallShape, event: JsonObject): CallStart {
  const { provider, modelId } = modelOf(event);
  return {
    provider: providerName(provider ?? 'unknown'),
    shape: withIdentity(shape, namedIdentity(event['metadata'])),
    request: event,
    model: modelId,
    outer: { name: 'ai-sdk-events', watch: { metered: 0 }, apart: true },
  };
}

/** Name of the model an event tells of: at the top in version 7, in `model` in 6. */
export function modelOf(event: unknown): {
  readonly provider: string | undefined;
  readonly modelId: string | undefined;
} {
  const model = objectAt(event, 'model') ?? (isObject(event) ? event : {});
  return { provider: stringAt(model, 'provider'), modelId: stringAt(model, 'modelId') };
}
