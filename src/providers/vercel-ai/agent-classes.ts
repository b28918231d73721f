import type { OpenStep } from '../../agents/open-step.ts';
import { runInStep } from '../../call/run-in-step.ts';
import { quietly } from '../../host/quietly.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { isPatched, replaceMethod } from '../patching.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { StepSink } from '../step-sink.ts';
import { runTool, startStep } from '../tool-step.ts';
import { observeStreamResult } from './stream-result.ts';
import { activeToolSpan, hasSpanIntegration } from './native-step-spans.ts';

interface Agent {
  settings?: unknown;
}
type Method = (this: Agent, ...args: unknown[]) => unknown;
type Execute = (this: unknown, input: unknown, options: unknown) => unknown;

/**
 * `ToolLoopAgent` of versions 6 and 7, `Experimental_Agent` of 5: each call of `generate` and `stream` is an
 * invocation. Version 7 hands the execution of tools to telemetry integrations; in the others they are functions of
 * the agent's settings.
 */
export function patchAgents(moduleExports: unknown, meter: CurrentMeter): void {
  const exported = (moduleExports ?? {}) as Readonly<Record<string, unknown>>;
  const wrapsTools = !('registerTelemetry' in exported);
  for (const name of ['ToolLoopAgent', 'Experimental_Agent']) {
    const prototype = quietly('reading the AI SDK', () => {
      const candidate = exported[name];
      return typeof candidate === 'function' ? (candidate.prototype as object) : undefined;
    });
    if (
      wrapsTools &&
      prototype !== undefined &&
      Object.hasOwn(prototype, 'prepareCall') &&
      !isPatched(prototype, 'prepareCall')
    ) {
      replaceMethod<Method>(prototype, 'prepareCall', (original) => preparedCall(original, meter));
    }
    for (const method of ['generate', 'stream']) {
      if (prototype === undefined || !Object.hasOwn(prototype, method)) continue;

      if (isPatched(prototype, method)) continue;
      replaceMethod<Method>(prototype, method, (original) => invoked(original, wrapsTools, meter));
    }
  }
}

function invoked(original: Method, wrapsTools: boolean, meter: CurrentMeter): Method {
  return function (this: Agent, ...args) {
    const step = startStep(meter, () => {
      const { settings } = this;
      const telemetry =
        objectAt(settings, 'telemetry') ?? objectAt(settings, 'experimental_telemetry');
      return {
        kind: 'agent',
        name: stringAt(settings, 'id') ?? stringAt(telemetry, 'functionId') ?? 'agent',
        isSpanless: hasSpanIntegration(),
      };
    });
    const passed = step !== undefined && wrapsTools ? withPassedTools(this, args, meter) : args;
    return runInStep(step, () => original.apply(this, passed), {
      endsLater: (value) => step !== undefined && isStream(value, step),
    });
  };
}

/** A stream ends the step when it is read to its end, by any reader. */
function isStream(value: unknown, step: OpenStep): boolean {
  return isObject(value) && observeStreamResult(value, new StepSink(step));
}

/** Version 6 asks this method for the arguments of each call, its tools among them. */
function preparedCall(original: Method, meter: CurrentMeter): Method {
  return async function (this: Agent, ...args) {
    const prepared = await original.apply(this, args);
    if (!isObject(prepared) || meter()?.audience() === undefined) return prepared;
    const tools = quietly('preparing tools', () => toolsWithSteps(prepared['tools'], meter));
    return tools === undefined ? prepared : { ...prepared, tools };
  };
}

/** In version 5 the arguments of a call go before the settings. */
function withPassedTools(agent: Agent, args: unknown[], meter: CurrentMeter): unknown[] {
  if (typeof (agent as { prepareCall?: unknown }).prepareCall === 'function') return args;
  const tools = quietly('preparing tools', () =>
    toolsWithSteps(objectAt(agent.settings, 'tools'), meter),
  );
  if (tools === undefined) return args;
  const [options, ...rest] = args;
  return [{ tools, ...(options as object | undefined) }, ...rest];
}

function toolsWithSteps(tools: unknown, meter: CurrentMeter): object | undefined {
  if (!isObject(tools)) return undefined;
  return Object.fromEntries(
    Object.entries(tools).map(([name, tool]) => [name, withStep(name, tool, meter)]),
  );
}

/** A copy of a tool whose function runs in a step; the caller's object stays as it is. */
function withStep(name: string, tool: unknown, meter: CurrentMeter): unknown {
  if (!isObject(tool) || typeof tool['execute'] !== 'function') return tool;
  const original = tool['execute'] as Execute;
  const execute: Execute = function (this: unknown, input, options) {
    return runTool(
      meter,
      () => ({
        name,
        callId: stringAt(options, 'toolCallId'),
        input,
        nativeSpan: activeToolSpan(),
      }),
      () => original.call(this === copy ? tool : this, input, options),
    );
  };
  const copy = Object.create(Object.getPrototypeOf(tool) as object | null, {
    ...inheritedMembers(tool),
    ...Object.getOwnPropertyDescriptors(tool),
    execute: { value: execute, enumerable: true, writable: true, configurable: true },
  }) as JsonObject;
  return copy;
}

/** Of a tool that is the instance of a class: called on the tool itself, whose private members the copy lacks. */
function inheritedMembers(tool: JsonObject): PropertyDescriptorMap {
  const members: PropertyDescriptorMap = {};
  let owner = Object.getPrototypeOf(tool) as object | null;
  while (owner !== null && owner !== Object.prototype) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (name === 'constructor' || Object.hasOwn(members, name)) continue;
      members[name] = {
        configurable: true,
        get: () => {
          const value: unknown = Reflect.get(tool, name);
          return typeof value === 'function' ? (value.bind(tool) as unknown) : value;
        },
        ...(member.set && { set: (value: unknown) => void Reflect.set(tool, name, value) }),
      };
    }
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return members;
}
