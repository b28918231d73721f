import type { OpenStep } from '../../agents/open-step.ts';
import { runInStep } from '../../call/run-in-step.ts';
import { setOwn } from '../../host/own-property.ts';
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

/** Of a settings object whose tools have steps already. */
const prepared = new WeakSet<object>();

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
    if (step !== undefined && wrapsTools) {
      quietly('preparing tools', () => prepareTools(this, meter));
    }
    return runInStep(step, () => original.apply(this, args), {
      endsLater: (value) => step !== undefined && isStream(value, step),
    });
  };
}

/** A stream ends the step when it is read to its end, whoever reads it. */
function isStream(value: unknown, step: OpenStep): boolean {
  return isObject(value) && observeStreamResult(value, new StepSink(step));
}

function prepareTools(agent: Agent, meter: CurrentMeter): void {
  const { settings } = agent;
  if (!isObject(settings) || prepared.has(settings) || !isObject(settings['tools'])) return;
  const tools = Object.fromEntries(
    Object.entries(settings['tools']).map(([name, tool]) => [name, withStep(name, tool, meter)]),
  );
  const next = { ...settings, tools };
  prepared.add(next);
  setOwn(agent, 'settings', next);
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
      () => original.call(this, input, options),
    );
  };
  return Object.create(Object.getPrototypeOf(tool) as object | null, {
    ...Object.getOwnPropertyDescriptors(tool),
    execute: { value: execute, enumerable: true, writable: true, configurable: true },
  }) as JsonObject;
}
