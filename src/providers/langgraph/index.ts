import { runInStep } from '../../call/run-in-step.ts';
import { isObject, objectAt, stringAt } from '../../tokens/json.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { runTool, startStep } from '../tool-step.ts';

interface Graph {
  readonly name?: unknown;
  readonly nodes?: unknown;
}
interface Tool {
  readonly name?: unknown;
  readonly description?: unknown;
}
type Method<This> = (this: This, ...args: unknown[]) => unknown;

/** Nodes that ask the model, of `createAgent` and of the older `createReactAgent`. */
const MODEL_NODES = ['model_request', 'agent'];

/**
 * Every graph is run by `Pregel`: whole, streamed and as a node of another graph. Graphs of `createAgent` are agents,
 * others are workflows.
 */
export const langgraph: SdkPatch = {
  moduleName: '@langchain/langgraph',
  entries: [{ name: 'pregel', file: 'dist/pregel/index.cjs' }],
  testedMajors: [1, 1],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const { Pregel, CompiledStateGraph = Pregel } = (moduleExports ?? {}) as {
      readonly [name in 'Pregel' | 'CompiledStateGraph']?: { readonly prototype?: unknown };
    };
    const owner = ownerOf(CompiledStateGraph?.prototype, '_streamIterator');
    if (owner === undefined) return 'unfit';
    if (isPatched(owner, '_streamIterator')) return 'already-patched';
    replaceMethod<Method<Graph>>(owner, '_streamIterator', (original) => asStep(original, meter));
    return 'patched';
  },
};

function asStep(original: Method<Graph>, meter: CurrentMeter): Method<Graph> {
  return function (this: Graph, ...args) {
    const step = startStep(meter, () => ({
      kind: isAgent(this) ? 'agent' : 'workflow',
      name: nameOf(this, args[1]),
    }));
    return runInStep(step, () => original.apply(this, args));
  };
}

function isAgent({ nodes }: Graph): boolean {
  return isObject(nodes) && MODEL_NODES.some((name) => name in nodes);
}

/** As the application named the graph, or this run of it. */
function nameOf({ name }: Graph, config: unknown): string {
  const given = typeof name === 'string' && name !== '' && name !== 'LangGraph' ? name : undefined;
  return given ?? stringAt(config, 'runName') ?? 'LangGraph';
}

/** Tools of LangChain, whoever calls them. */
export const langchainTools: SdkPatch = {
  moduleName: '@langchain/core',
  isEntered: false,
  entries: [{ name: 'tools', file: 'dist/tools/index.cjs' }],
  testedMajors: [1, 1],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const { StructuredTool } = (moduleExports ?? {}) as {
      readonly StructuredTool?: { readonly prototype?: unknown };
    };
    const owner = ownerOf(StructuredTool?.prototype, 'call');
    if (owner === undefined) return 'unfit';
    if (isPatched(owner, 'call')) return 'already-patched';
    replaceMethod<Method<Tool>>(owner, 'call', (original) => asTool(original, meter));
    return 'patched';
  },
};

function asTool(original: Method<Tool>, meter: CurrentMeter): Method<Tool> {
  return function (this: Tool, ...args) {
    const [input, config] = args;
    return runTool(
      meter,
      () => ({
        name: stringAt(this, 'name') ?? 'tool',
        description: stringAt(this, 'description'),
        callId: stringAt(objectAt(config, 'toolCall'), 'id') ?? stringAt(input, 'id'),
        input: objectAt(input, 'args') ?? input,
      }),
      () => original.apply(this, args),
      { isFailure },
    );
  };
}

/** A graph that waits for a person throws what is no error. */
function isFailure(error: unknown): boolean {
  return !(isObject(error) && error['is_bubble_up'] === true);
}
