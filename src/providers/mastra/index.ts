import type { OpenStep } from '../../agents/open-step.ts';
import { runInStep } from '../../call/run-in-step.ts';
import { isObject, stringAt, type JsonObject } from '../../tokens/json.ts';
import { isPatched, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { StepSink } from '../step-sink.ts';
import { runTool, startStep } from '../tool-step.ts';
import { observeStreamResult } from '../vercel-ai/stream-result.ts';

type Method = (this: object, ...args: unknown[]) => unknown;
type Execute = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Agents of Mastra: each `generate` and `stream` is an invocation, and what `convertTools` makes for it are its tools,
 * sub-agents and workflows among them.
 */
export const mastra: SdkPatch = {
  moduleName: '@mastra/core',
  isEntered: false,
  entries: [{ name: 'agent', file: 'dist/agent/index.cjs' }],
  testedMajors: [1, 1],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const { Agent } = (moduleExports ?? {}) as {
      readonly Agent?: { readonly prototype?: unknown };
    };
    const owner = Agent?.prototype;
    if (typeof owner !== 'object' || owner === null) return 'unfit';
    const names = ['generate', 'stream', 'convertTools'];
    if (!names.every((name) => Object.hasOwn(owner, name))) return 'unfit';
    if (isPatched(owner, 'generate')) return 'already-patched';
    for (const name of ['generate', 'stream']) {
      replaceMethod<Method>(owner, name, (original) => invoked(original, meter));
    }
    replaceMethod<Method>(owner, 'convertTools', (original) => converted(original, meter));
    return 'patched';
  },
};

function invoked(original: Method, meter: CurrentMeter): Method {
  return function (this: object, ...args) {
    const step = startStep(meter, () => ({
      kind: 'agent',
      name: stringAt(this, 'name') ?? stringAt(this, 'id') ?? 'agent',
    }));
    return runInStep(step, () => original.apply(this, args), {
      endsLater: (value) => step !== undefined && isStream(value, step),
    });
  };
}

function isStream(value: unknown, step: OpenStep): boolean {
  return isObject(value) && observeStreamResult(value, new StepSink(step));
}

/** Its result is made for one invocation, so no tool of the application is changed. */
function converted(original: Method, meter: CurrentMeter): Method {
  return async function (this: object, ...args) {
    const tools = await original.apply(this, args);
    if (!isObject(tools)) return tools;
    return Object.fromEntries(
      Object.entries(tools).map(([name, tool]) => [name, withStep(name, tool, meter)]),
    );
  };
}

function withStep(name: string, tool: unknown, meter: CurrentMeter): unknown {
  if (!isObject(tool) || typeof tool['execute'] !== 'function') return tool;
  const original = tool['execute'] as Execute;
  const execute: Execute = function (this: unknown, ...args) {
    const [input, options] = args;
    return runTool(
      meter,
      () => ({ name, input, callId: stringAt(options, 'toolCallId') }),
      () => original.apply(this, args),
    );
  };
  return Object.create(Object.getPrototypeOf(tool) as object | null, {
    ...Object.getOwnPropertyDescriptors(tool),
    execute: { value: execute, enumerable: true, writable: true, configurable: true },
  }) as JsonObject;
}
