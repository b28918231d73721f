import type { Span } from '@opentelemetry/api';
import { agentScopeOf, setAgentScope } from '../../agents/agent-scope.ts';
import type { OpenStep } from '../../agents/open-step.ts';
import { activeContext, runIn } from '../../context.ts';
import { quietly } from '../../host/quietly.ts';
import { fields, isObject, objectAt, stringAt } from '../../tokens/json.ts';
import { noteAgentSpan, noteModelSpan, runWithSpans } from '../agent-with-spans.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { startTool } from '../tool-step.ts';

interface Runner {
  readonly _tracer?: unknown;
}
type Method<This = object> = (this: This, ...args: unknown[]) => unknown;

const KINDS: Readonly<Record<string, 'agent' | 'workflow'>> = {
  Agent: 'agent',
  Graph: 'workflow',
  Swarm: 'workflow',
};

/** Steps of tools, by the span that the SDK has made for them. */
const tools = new WeakMap<Span, OpenStep>();

/**
 * Strands: every invocation is a `stream()`. Spans of agents, model calls and tools are made by the SDK's own tracer,
 * whose class is reached through an agent.
 */
export const strands: SdkPatch = {
  moduleName: '@strands-agents/sdk',
  entries: [{ name: 'multiagent' }],
  testedMajors: [1, 1],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const outcomes = Object.entries(KINDS).flatMap(([name, kind]): PatchOutcome[] => {
      const exported = fields(moduleExports)[name];
      const prototype =
        typeof exported === 'function' ? (exported.prototype as unknown) : undefined;
      const owner = ownerOf(prototype, 'stream');
      if (owner === undefined) return [];
      if (isPatched(owner, 'stream')) return ['already-patched'];
      replaceMethod<Method<Runner>>(owner, 'stream', (original) => invoked(original, kind, meter));
      return ['patched'];
    });
    if (outcomes.length === 0) return 'unfit';
    return outcomes.includes('patched') ? 'patched' : 'already-patched';
  },
};

function invoked(
  original: Method<Runner>,
  kind: 'agent' | 'workflow',
  meter: CurrentMeter,
): Method<Runner> {
  return function (this: Runner, ...args) {
    quietly('patching a tracer', () => patchTracer(ownerOf(this._tracer, 'startAgentSpan'), meter));
    const name = stringAt(this, 'name') ?? stringAt(this, 'id') ?? kind;
    return runWithSpans(
      meter,
      () => ({ kind, name }),
      () => original.apply(this, args),
    );
  };
}

function patchTracer(tracer: object | undefined, meter: CurrentMeter): void {
  if (tracer === undefined || isPatched(tracer, 'startAgentSpan')) return;
  const after = (name: string, look: (span: Span | undefined, options: unknown) => void): void => {
    if (!Object.hasOwn(tracer, name)) return;
    replaceMethod<Method>(tracer, name, (original) => {
      return function (this: object, ...args) {
        const span = original.apply(this, args);
        quietly('reading a span', () => look(isObject(span) ? asSpan(span) : undefined, args[0]));
        return span;
      };
    });
  };
  after('startAgentSpan', noteAgentSpan);
  after('startMultiAgentSpan', noteAgentSpan);
  after('startModelInvokeSpan', noteModelSpan);
  after('endModelInvokeSpan', () => noteModelSpan(undefined));
  after('startToolCallSpan', (span, options) => {
    const tool = objectAt(options, 'tool');
    const step = startTool(meter, () => ({
      name: stringAt(tool, 'name') ?? 'tool',
      callId: stringAt(tool, 'toolUseId'),
      input: tool?.['input'],
      nativeSpan: span,
    }));
    if (span !== undefined && step !== undefined) tools.set(span, step);
  });
  replaceMethod<Method>(tracer, 'endToolCallSpan', endingTool);
  replaceMethod<Method>(tracer, 'withSpanContext', withTool);
}

/** The step ends before its span. */
function endingTool(original: Method): Method {
  return function (this: object, ...args) {
    quietly('ending a step', () => {
      const { error, toolResult } = fields(args[1]);
      const hasFailed = error !== undefined || stringAt(toolResult, 'status') === 'error';
      const output = fields(toolResult)['content'];
      const step = isObject(args[0]) ? tools.get(asSpan(args[0])) : undefined;
      step?.end({
        error,
        output,
        ...(hasFailed && error === undefined && { errorType: 'tool_error' }),
      });
    });
    return original.apply(this, args);
  };
}

/** What is called with a tool's span is the tool. */
function withTool(original: Method): Method {
  return function (this: object, ...args) {
    const [span, fn, ...rest] = args;
    const step = isObject(span) ? tools.get(asSpan(span)) : undefined;
    const scope = step && agentScopeOf(step.context);
    if (scope === undefined || typeof fn !== 'function') return original.apply(this, args);
    const run = (): unknown => runIn(setAgentScope(activeContext(), scope), fn as () => unknown);
    return original.call(this, span, run, ...rest);
  };
}

function asSpan(span: object): Span {
  return span as Span;
}
