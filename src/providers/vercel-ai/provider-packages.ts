import type { CallStart } from '../../call/call-start.ts';
import type { ChatCall } from '../../call/chat-call.ts';
import { observeReadableStream } from '../../call/observed-readable.ts';
import { quietly } from '../../host/quietly.ts';
import { meterPromise, serverAt } from '../metered-promise.ts';
import { withIdentity } from '../named-identity.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { providerName } from '../../domain/provider-names.ts';
import { notePatchedProvider } from './late-calls.ts';
import { exportedModels, wrapProviders } from './exported-providers.ts';
import { patchModel, type Meter } from './model-methods.ts';
import { apiCallError } from './refused-model-call.ts';
import { currentOperation } from './telemetry-channel.ts';

/** What every model of a provider package has, whatever its specification. */
interface Model {
  readonly provider?: unknown;
  readonly modelId?: unknown;
  readonly config?: { readonly baseURL?: unknown; readonly url?: unknown };
}

/**
 * A call of a model is the narrowest place there is in the AI SDK: the same in its versions 5, 6 and 7, with
 * telemetry switched off or on, inside an agent or called directly. Provider packages call `fetch`, so no
 * vendor SDK below sees these calls. `entries`: subpaths, of which `internal` has the classes that other
 * packages build on.
 */
function providerPackage(
  moduleName: string,
  testedMajors: readonly [first: number, last: number],
  ...entries: readonly string[]
): SdkPatch {
  return {
    moduleName,
    entries: entries.map((name) => ({ name, file: `dist/${name}/index.js` })),
    testedMajors,
    patch: patchModels,
    wrapExports: (moduleExports, meter) =>
      wrapProviders(moduleExports, (model) => patchModel(model, meteredBy(meter))),
  };
}

/**
 * Patches what a module exports, in place: classes, and ready providers, which are asked for a model of each
 * kind. For `ai` itself too, which brings the gateway.
 */
export function patchModels(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
  let outcome: PatchOutcome = 'unfit';
  for (const model of exportedModels(moduleExports)) {
    const patched = patchModel(model, meteredBy(meter));
    if (outcome === 'unfit' || patched === 'patched') outcome = patched;
  }
  return outcome;
}

function meteredBy(meter: CurrentMeter): Meter {
  return (original, shapeOf) =>
    function (this: Model, options: unknown): PromiseLike<unknown> {
      return meterPromise(
        meter,
        () => describe(this, shapeOf(options), options),
        () => original.call(this, options) as Promise<unknown>,
        watchResult,
        apiCallError,
      );
    };
}

function describe(model: Model, shape: CallShape, options: unknown): CallStart {
  const { provider, modelId, config } = model;
  notePatchedProvider(String(provider));
  const url =
    typeof config?.url === 'function'
      ? quietly('reading an AI SDK model', () =>
          (config.url as (to: object) => unknown)({ path: '/', modelId }),
        )
      : undefined;
  return {
    provider: providerName(String(provider)),
    shape: withIdentity(shape, currentOperation()?.identity),
    request: options,
    model: typeof modelId === 'string' ? modelId : undefined,
    ...serverAt(config?.baseURL ?? url),
  };
}

/** A stream is read in place: the result object and the stream stay the provider's own. */
export function watchResult(result: unknown, call: ChatCall): void {
  const { stream: parts } = (result ?? {}) as { stream?: unknown };
  if (!observeReadableStream(parts, call)) {
    call.complete(result);
  }
}

/** Majors go with the AI SDK: 2 with 5, 3 with 6, 4 with 7, a few count apart. */
export const vercelAiProviders: readonly SdkPatch[] = [
  providerPackage('@ai-sdk/openai', [2, 4], 'internal'),
  providerPackage('@ai-sdk/anthropic', [2, 4], 'internal'),
  providerPackage('@ai-sdk/google', [2, 4], 'internal'),
  providerPackage(
    '@ai-sdk/google-vertex',
    [3, 5],
    'edge',
    'anthropic',
    'anthropic/edge',
    'maas',
    'maas/edge',
    'xai',
    'xai/edge',
  ),
  providerPackage('@ai-sdk/amazon-bedrock', [3, 5], 'anthropic', 'mantle'),
  providerPackage('@ai-sdk/azure', [2, 4]),
  providerPackage('@ai-sdk/mistral', [2, 4], 'internal'),
  providerPackage('@ai-sdk/cohere', [2, 4]),
  providerPackage('@ai-sdk/groq', [2, 4]),
  providerPackage('@ai-sdk/xai', [2, 5]),
  providerPackage('@ai-sdk/deepseek', [1, 3]),
  providerPackage('@ai-sdk/togetherai', [1, 3]),
  providerPackage('@ai-sdk/fireworks', [1, 3]),
  providerPackage('@ai-sdk/deepinfra', [1, 3]),
  providerPackage('@ai-sdk/cerebras', [1, 3]),
  providerPackage('@ai-sdk/perplexity', [2, 4]),
  providerPackage('@ai-sdk/openai-compatible', [1, 3], 'internal'),
  providerPackage('@ai-sdk/gateway', [2, 4]),
  // Its model router contains the provider packages that it calls; this entry exports the router's class.
  { ...providerPackage('@mastra/core', [1, 1], 'llm'), isEntered: false },
];
