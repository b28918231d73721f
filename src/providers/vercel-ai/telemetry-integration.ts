import type { CallStart } from '../../call/call-start.ts';
import { quietly } from '../../host/quietly.ts';
import { isObject, stringAt, type JsonObject } from '../../tokens/json.ts';
import { startCall } from '../metered-promise.ts';
import { withIdentity } from '../named-identity.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { providerName } from '../../domain/provider-names.ts';
import { refusedCall } from '../refused-call.ts';
import { embed } from './embedding-model.ts';
import { generate, stream } from './language-model.ts';
import { isPatchedProvider, LateCalls, modelOf } from './late-calls.ts';
import { watchResult } from './provider-packages.ts';
import { runTool } from '../tool-step.ts';
import { activeToolSpan } from './native-step-spans.ts';
import { apiCallError } from './refused-model-call.ts';
import { currentOperation, listenToAiSdk } from './telemetry-channel.ts';

const OURS = Symbol.for('otel-token-meter.ai-sdk');

interface Registry {
  AI_SDK_TELEMETRY_INTEGRATIONS?: object[];
}

interface ModelCall {
  /** Of the model, or of a tool. */
  readonly execute: () => PromiseLike<unknown>;
}

/**
 * Registers with the AI SDK, versions 6 and 7, as its own `registerTelemetry` would: both read one global
 * list, so this needs neither the package nor an import hook and works in bundled apps.
 */
export function registerAiSdkTelemetry(meter: CurrentMeter): void {
  const registry = globalThis as Registry;
  const integrations = (registry.AI_SDK_TELEMETRY_INTEGRATIONS ??= []);
  if (integrations.some((integration) => OURS in integration)) return;
  integrations.push(telemetryIntegration(meter));
  listenToAiSdk();
}

/**
 * One object for both versions. In 7 `executeLanguageModelCall` wraps the provider's call, in 6 there are
 * only events. Either counts the calls of models that no patch reaches.
 */
function telemetryIntegration(meter: CurrentMeter): object {
  const late = new LateCalls(meter);
  return {
    [OURS]: true,

    async executeLanguageModelCall(options: ModelCall & JsonObject): Promise<unknown> {
      const call = startCall(meter, () => describe(options));
      if (call === undefined) return options.execute();
      if (call.refusal !== undefined) throw refusedCall(call.refusal, apiCallError);
      try {
        const result = await call.run(() => options.execute());
        quietly('watching a reply', () => watchResult(result, call));
        return result;
      } catch (error) {
        call.failed(error);
        throw error;
      }
    },

    executeTool(options: ModelCall & JsonObject): PromiseLike<unknown> {
      const { toolCall } = options;
      return runTool(
        meter,
        () => ({
          name: stringAt(toolCall, 'toolName') ?? 'unknown',
          callId: stringAt(toolCall, 'toolCallId'),
          input: isObject(toolCall) ? toolCall['input'] : undefined,
          nativeSpan: activeToolSpan(),
        }),
        () => options.execute(),
      );
    },

    onStepStart: (event: unknown) => {
      if (!isVersion7(event)) begin('step', event);
    },
    onStepFinish: (event: unknown) => end('step', generate, event, event),

    onObjectStepStart: (event: unknown) => begin('object', event),
    onObjectStepEnd: (event: unknown) => end('object', generate, event, objectResult(event)),

    onEmbedStart: (event: unknown) => begin('embed', event),
    onEmbedEnd: (event: unknown) => end('embed', embed, event, event),
  };

  function begin(kind: string, event: unknown): void {
    quietly('reading AI SDK telemetry', () => {
      if (isObject(event)) late.begin(keyOf(kind, event), event);
    });
  }

  function end(kind: string, shape: CallShape, event: unknown, result: unknown): void {
    quietly('reading AI SDK telemetry', () => {
      if (isObject(event)) late.end(keyOf(kind, event), shape, event, result);
    });
  }
}

function describe(options: JsonObject): CallStart {
  const operation = currentOperation();
  const provider = stringAt(options, 'provider') ?? 'unknown';
  return {
    provider: providerName(provider),
    shape: withIdentity(operation?.streaming === true ? stream : generate, operation?.identity),
    request: { providerOptions: operation?.providerOptions, ...options },
    model: stringAt(options, 'modelId'),
    // A patched model makes the call itself. Where none ran, a middleware had the reply, unless a
    // request was sent: then another copy of the provider's package made it.
    wrapper: { name: 'ai-sdk', onlyLends: isPatchedProvider(provider) },
  };
}

/** Step events of 7 repeat the usage of calls that were wrapped. */
function isVersion7(event: unknown): boolean {
  return isObject(event) && ('callId' in event || 'aiVersion' in event);
}

function keyOf(kind: string, event: JsonObject): string {
  const { provider, modelId } = modelOf(event);
  const { embedCallId, callId, stepNumber } = event;
  return [kind, provider, modelId, embedCallId ?? callId, stepNumber].join('|');
}

/** The raw text of an object in the form of a model's result. */
function objectResult(event: unknown): JsonObject | undefined {
  if (!isObject(event)) return undefined;
  return {
    ...event,
    content: [
      { type: 'text', text: event['objectText'] },
      { type: 'reasoning', text: event['reasoning'] },
    ],
  };
}
