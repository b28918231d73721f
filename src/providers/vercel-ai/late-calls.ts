import { type AgentScope, agentScopeOf } from '../../agents/agent-scope.ts';
import type { Audience } from '../../call/call-start.ts';
import { activeContext, NO_USAGE_CONTEXT, usageContextOf } from '../../context.ts';
import type { UsageContext } from '../../domain/usage-context.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { namedIdentity, withIdentity, type Identity } from '../named-identity.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { providerName } from '../../domain/provider-names.ts';

/** A start event whose end has not come. */
interface Begun {
  readonly key: string;
  readonly event: JsonObject;
  readonly startedMs: number;
  readonly usageContext: UsageContext;
  readonly run: AgentScope | undefined;
  readonly identity: Identity;
  /** As the switches stood at the start. */
  readonly audience: Audience;
}

/** Providers whose models are patched, by the name models and events share. */
const patchedProviders = new Set<string>();

export function notePatchedProvider(name: string): void {
  patchedProviders.add(name);
}

export function isPatchedProvider(name: string): boolean {
  return patchedProviders.has(name);
}

/** Begun and not yet ended. A stream that is left never ends, so the oldest ones are given up. */
const OPEN_MAX = 1000;

/**
 * Calls known only by a start and an end event of the AI SDK: those of models that no patch and no
 * wrapper reaches. Failed and stopped calls have no end event. `generateText` of version 6 repeats the
 * very object that names the model; its other functions repeat nothing, and there a start is taken for
 * an end's own only if user and conversation are the same at both.
 */
export class LateCalls {
  readonly #meter: CurrentMeter;
  readonly #open: Begun[] = [];

  constructor(meter: CurrentMeter) {
    this.#meter = meter;
  }

  begin(key: string, event: JsonObject): void {
    const meter = this.#meter();
    const audience = meter?.audience();
    if (meter === undefined || audience === undefined) return;
    if (isPatchedProvider(modelOf(event).provider ?? '')) return;
    if (this.#open.length >= OPEN_MAX) this.#open.shift();
    this.#open.push({
      key,
      event,
      startedMs: meter.nowMs(),
      usageContext: usageContextOf(activeContext()),
      run: agentScopeOf(activeContext()),
      identity: namedIdentity(event['metadata']),
      audience,
    });
  }

  /** `result`: what the shape reads as the whole reply. */
  end(key: string, shape: CallShape, event: JsonObject, result: unknown): void {
    const begun = this.#take(key, event);
    if (begun === undefined) return;
    const { provider, modelId } = modelOf(begun.event);
    const reader = shape.reader({
      usage: true,
      output: true,
      request: begun.event,
      model: modelId,
    });
    reader.whole(result);
    const meter = this.#meter();
    if (meter === undefined) return;
    meter.finished(
      {
        provider: providerName(provider ?? 'unknown'),
        shape: withIdentity(shape, begun.identity),
        request: begun.event,
        model: modelId,
        ambient: begun.usageContext,
        ambientRun: begun.run,
      },
      {
        endedAtMs: Date.now(),
        durationMs: meter.nowMs() - begun.startedMs,
        reply: reader.result(),
        outcome: 'ok',
        errorType: undefined,
        sinceMs: begun.startedMs,
        byModel: true,
        audience: begun.audience,
      },
    );
  }

  #take(key: string, event: JsonObject): Begun | undefined {
    const usageContext = usageContextOf(activeContext());
    const identity = namedIdentity(event['metadata']);
    const { model } = event;
    const tied = isObject(model)
      ? this.#open.findLastIndex((open) => open.event['model'] === model)
      : -1;
    if (tied >= 0) return this.#open.splice(tied, 1)[0];
    const alike = this.#open.findLastIndex(
      (open) =>
        open.key === key &&
        isSameUser(open.usageContext, usageContext) &&
        isSameUser(open.identity, identity),
    );
    if (alike >= 0) return this.#open.splice(alike, 1)[0];
    const untied = this.#open.findLastIndex((open) => open.key === key);
    const [begun] = untied < 0 ? [] : this.#open.splice(untied, 1);
    // Times and messages of a call to that model; the user is what the end itself names.
    return begun && { ...begun, usageContext: NO_USAGE_CONTEXT, run: undefined, identity };
  }
}

function isSameUser(one: UsageContext, other: UsageContext): boolean {
  return one.userId === other.userId && one.conversationId === other.conversationId;
}

/** The model that an event names: at the top in version 7, in `model` in 6. */
export function modelOf(event: unknown): {
  readonly provider: string | undefined;
  readonly modelId: string | undefined;
} {
  const model = objectAt(event, 'model') ?? (isObject(event) ? event : {});
  return { provider: stringAt(model, 'provider'), modelId: stringAt(model, 'modelId') };
}
