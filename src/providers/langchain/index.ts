import { BudgetExceededError } from '../../budgets/budget-exceeded-error.ts';
import type { CallStart } from '../../call/call-start.ts';
import { observeGenerator } from '../../call/observed-stream.ts';
import { quietly } from '../../host/quietly.ts';
import { listOf, stringAt } from '../../tokens/json.ts';
import { startCall } from '../metered-promise.ts';
import { isPatched, ownersOf, replaceMethod } from '../patching.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { refusedCall, refusedStream, type MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { providerName } from '../../domain/provider-names.ts';
import {
  chatModel,
  chatModelEvents,
  chatModelStream,
  type ChatModelRequest,
} from './chat-model.ts';
import { keepContext } from './queued-calls.ts';

interface Model {
  readonly maxTokens?: unknown;
  readonly maxOutputTokens?: unknown;
  readonly model?: unknown;
  readonly modelName?: unknown;
  /** Where its calls wait for their turn. */
  readonly caller?: unknown;
  getLsParams?(options: unknown): unknown;
}
interface Result {
  readonly generations?: unknown;
  readonly llmOutput?: unknown;
}
type Generate = (
  this: Model,
  prompts: readonly unknown[],
  options: unknown,
  config: unknown,
  ...rest: unknown[]
) => Promise<Result>;
type AnyMethod = (this: Model, ...args: unknown[]) => unknown;
type Stream = (this: Model, ...args: unknown[]) => AsyncGenerator<unknown, unknown>;

/**
 * Every chat model inherits from `BaseChatModel`, so its prototype is found behind any class that a
 * package exports. The vendor's SDK knows more of a call; these methods lend it user and conversation,
 * and count the calls that no SDK has.
 */
function chatModels(moduleName: string): SdkPatch {
  return {
    moduleName,
    testedMajors: [1, 1],
    patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
      let outcome: PatchOutcome = 'unfit';
      for (const exported of Object.values((moduleExports ?? {}) as Record<string, unknown>)) {
        if (typeof exported !== 'function') continue;
        for (const [name, wrap] of Object.entries(wrappers(meter))) {
          for (const owner of ownersOf(exported.prototype, name)) {
            if (!isPatched(owner, name)) {
              replaceMethod(owner, name, wrap);
              outcome = 'patched';
            } else if (outcome === 'unfit') outcome = 'already-patched';
          }
        }
      }
      return outcome;
    },
  };
}

const core: SdkPatch = {
  ...chatModels('@langchain/core'),
  isEntered: false,
  entries: [{ name: 'language_models/chat_models', file: 'dist/language_models/chat_models.cjs' }],
};

const packages: readonly SdkPatch[] = [
  'openai',
  'anthropic',
  'google-genai',
  'google-vertexai',
  'google',
  'aws',
  'mistralai',
  'ollama',
  'cohere',
  'groq',
  'deepseek',
  'xai',
].map((name) => chatModels(`@langchain/${name}`));

export const langchain: readonly SdkPatch[] = [core, ...packages];

/** A package may override what its base class has and call that: the base class counts then. */
function wrappers(
  meter: CurrentMeter,
): Readonly<Record<string, (original: AnyMethod) => AnyMethod>> {
  return {
    _generateUncached: (original) => meteredGenerate(original as Generate, meter) as AnyMethod,
    _streamIterator: (original) => meteredStream(original as Stream, chatModelStream, meter),
    _streamChatModelEvents: (original) => meteredStream(original as Stream, chatModelEvents, meter),
  };
}

/** One model call a prompt; `model.generate` takes several at once. */
function meteredGenerate(original: Generate, meter: CurrentMeter): Generate {
  return async function _generateUncached(this: Model, prompts, options, config, ...rest) {
    quietly('binding a queue', () => keepContext(this.caller));
    const calls = prompts.map((messages) =>
      startCall(meter, () =>
        describe(this, chatModel, { messages, tools: toolsOf(options), config }),
      ),
    );
    const refusal = calls.find((call) => call?.refusal !== undefined)?.refusal;
    if (refusal !== undefined) {
      // Of several prompts none is sent: they are one call of the application.
      const error = refusedCall(refusal, rateLimited);
      for (const call of calls) call?.failed(error);
      throw error;
    }
    const invoke = (): Promise<Result> => original.call(this, prompts, options, config, ...rest);
    try {
      const result = await (calls[0] === undefined ? invoke() : calls[0].run(invoke));
      for (const [index, call] of calls.entries()) {
        const generations = listOf(result.generations)[index];
        call?.complete({ generations, llmOutput: result.llmOutput });
      }
      return result;
    } catch (error) {
      for (const call of calls) call?.failed(error);
      throw error;
    }
  };
}

/** Both kinds of stream take the call's configuration second. */
function meteredStream(original: Stream, shape: CallShape, meter: CurrentMeter): Stream {
  return function (this: Model, ...args) {
    quietly('binding a queue', () => keepContext(this.caller));
    const generator = original.apply(this, args);
    const [input, config] = args;
    const request = { messages: messagesOf(input), tools: toolsOf(config), config };
    const call = startCall(meter, () => describe(this, shape, request));
    if (call === undefined) return generator;
    if (call.refusal !== undefined) return refusedStream(refusedCall(call.refusal, rateLimited));
    quietly('watching a stream', () => observeGenerator(generator, call, (step) => call.run(step)));
    return generator;
  };
}

function describe(model: Model, shape: CallShape, request: ChatModelRequest): CallStart {
  const params = quietly('reading a LangChain model', () =>
    model.getLsParams?.(request.config ?? {}),
  );
  return {
    provider: providerName(stringAt(params, 'ls_provider') ?? 'unknown'),
    shape,
    request,
    model:
      stringAt(params, 'ls_model_name') ?? stringAt(model, 'model') ?? stringAt(model, 'modelName'),
    outputLimit: outputLimitOf(model),
    wrapper: { name: 'langchain' },
  };
}

function toolsOf(options: unknown): unknown {
  return (options as { readonly tools?: unknown } | undefined)?.tools;
}

/** A text, messages, or a prompt value that holds them. */
function messagesOf(input: unknown): unknown {
  return (input as { readonly messages?: unknown } | undefined)?.messages ?? input;
}

function outputLimitOf({ maxTokens, maxOutputTokens }: Model): number | undefined {
  const limit = maxTokens ?? maxOutputTokens;
  return typeof limit === 'number' && limit > 0 ? limit : undefined;
}

/** As LangChain marks errors of status 429 of any vendor. */
const rateLimited: MakeRefusal = (_response, refusal) =>
  Object.assign(new BudgetExceededError(refusal), { lc_error_code: 'MODEL_RATE_LIMIT' });
