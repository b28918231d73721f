import { trace, type Span } from '@opentelemetry/api';
import { agentScopeOf } from '../../agents/agent-scope.ts';
import { activeContext } from '../../context.ts';
import { quietly } from '../../host/quietly.ts';
import { fields, isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { noteAgentSpan, noteModelSpan, runWithSpans } from '../agent-with-spans.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { runTool } from '../tool-step.ts';

interface Named {
  readonly name?: unknown;
}
type Method<This = Named> = (this: This, ...args: unknown[]) => unknown;
type Wrap = (original: Method, meter: CurrentMeter) => Method;

/** What is patched, by class. Spans are made in each by functions that cannot be reached. */
const METHODS: readonly (readonly [className: string, method: string, wrap: Wrap])[] = [
  ['BaseAgent', 'runAsync', invoked('agent')],
  ['BaseAgent', 'runLive', invoked('agent')],
  // Called once the span of the invocation is active, and once that of the workflow is.
  ['BaseAgent', 'createInvocationContext', noted(noteAgentSpan)],
  ['Workflow', 'runImpl', invoked('workflow')],
  ['Workflow', 'orchestrate', noted(noteAgentSpan)],
  ['LlmAgent', 'callLlmAsync', noted(noteModelSpan)],
  ['LlmAgent', 'canonicalTools', listed],
];

/** Google's Agent Development Kit. Model calls are made by @google/genai. */
export const googleAdk: SdkPatch = {
  moduleName: '@google/adk',
  testedMajors: [2, 2],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    let outcome: PatchOutcome = 'unfit';
    for (const [className, method, wrap] of METHODS) {
      const exported = fields(moduleExports)[className];
      const prototype =
        typeof exported === 'function' ? (exported.prototype as unknown) : undefined;
      const owner = ownerOf(prototype, method);
      if (owner === undefined) continue;
      if (isPatched(owner, method)) {
        if (outcome === 'unfit') outcome = 'already-patched';
        continue;
      }
      replaceMethod<Method>(owner, method, (original) => wrap(original, meter));
      outcome = 'patched';
    }
    return outcome;
  },
};

function invoked(kind: 'agent' | 'workflow'): Wrap {
  return (original, meter) =>
    function (this: Named, ...args) {
      const describe = () => ({ kind, name: stringAt(this, 'name') ?? kind });
      return runWithSpans(meter, describe, () => original.apply(this, args));
    };
}

/** The active span is the SDK's for what is called. */
function noted(note: (span: Span | undefined) => void): Wrap {
  return (original) =>
    function (this: Named, ...args) {
      note(trace.getSpan(activeContext()));
      return original.apply(this, args);
    };
}

/** The tools of an agent, whose classes may be the application's: each is patched when it is first seen. */
function listed(original: Method, meter: CurrentMeter): Method {
  return async function (this: Named, ...args) {
    const tools = await original.apply(this, args);
    quietly('patching tools', () => {
      for (const tool of listOf(tools)) {
        const owner = ownerOf(tool, 'runAsync');
        if (owner === undefined || isPatched(owner, 'runAsync')) continue;
        replaceMethod<Method>(owner, 'runAsync', (run) => asTool(run, meter));
      }
    });
    return tools;
  };
}

function asTool(original: Method, meter: CurrentMeter): Method {
  return function (this: Named, ...args) {
    const run = (): unknown => original.apply(this, args);
    const name = stringAt(this, 'name') ?? 'tool';
    if (isInside(name)) return run();
    return runTool(
      meter,
      () => {
        const span = trace.getSpan(activeContext()) as (Span & Named) | undefined;
        return {
          name,
          description: stringAt(this, 'description'),
          callId: stringAt(objectAt(args[0], 'toolContext'), 'functionCallId'),
          input: fields(args[0])['args'],
          nativeSpan: isObject(span) && span.name === `execute_tool ${name}` ? span : undefined,
        };
      },
      run,
    );
  };
}

/** A tool whose class calls the one that it extends. */
function isInside(name: string): boolean {
  const last = agentScopeOf(activeContext())?.steps.at(-1);
  return last?.kind === 'tool' && last.name === name;
}
