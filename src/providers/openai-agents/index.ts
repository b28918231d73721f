import { randomUUID } from 'node:crypto';
import { agentScopeOf, setAgentScope } from '../../agents/agent-scope.ts';
import { activeContext, addContextSource, runIn, usageContextOf } from '../../context.ts';
import { idFrom } from '../../domain/id-from.ts';
import { setOwn } from '../../host/own-property.ts';
import { quietly } from '../../host/quietly.ts';
import { ATTR } from '../../otel/semconv.ts';
import { exportedOwner, isPatched, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { RunSteps } from './run-steps.ts';
import type { SdkSpan } from './sdk-spans.ts';

type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;
type AddProcessor = (processor: object) => void;
interface TraceProvider {
  setProcessors?: (processors: readonly object[]) => void;
}
interface Exports {
  readonly addTraceProcessor?: AddProcessor;
  readonly getGlobalTraceProvider?: () => TraceProvider;
}

/** Of one process: the SDK's copies share the storage of their spans. */
let steps: RunSteps | undefined;
const registered = new WeakSet<AddProcessor>();

/**
 * The OpenAI Agents SDK tells trace processors of every agent and tool; `Runner.run` is what makes them one run. Model
 * calls are made by the openai SDK.
 */
function agentsSdk(moduleName: string): SdkPatch {
  return { moduleName, testedMajors: [0, 0], patch };
}

export const openaiAgents: readonly SdkPatch[] = [
  agentsSdk('@openai/agents'),
  agentsSdk('@openai/agents-core'),
];

function patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
  const { addTraceProcessor, getGlobalTraceProvider } = (moduleExports ?? {}) as Exports;
  const runner = exportedOwner(moduleExports, 'run');
  if (typeof addTraceProcessor !== 'function' || runner === undefined) return 'unfit';
  if (steps === undefined) {
    const made = new RunSteps(meter);
    steps = made;
    addContextSource((active) => made.enter(active));
  }
  if (registered.has(addTraceProcessor)) return 'already-patched';
  registered.add(addTraceProcessor);
  const processor = processorOf(steps);
  addTraceProcessor(processor);
  quietly('reading trace processors', () => keepProcessor(getGlobalTraceProvider?.(), processor));
  if (!isPatched(runner, 'run'))
    replaceMethod<AnyMethod>(runner, 'run', (run) => asRun(run, meter));
  return 'patched';
}

/** `setTraceProcessors` of the application replaces its own and the SDK's, not ours. */
function keepProcessor(provider: TraceProvider | undefined, processor: object): void {
  const set = provider?.setProcessors?.bind(provider);
  if (provider === undefined || set === undefined) return;
  setOwn(provider, 'setProcessors', (processors: readonly object[]) =>
    set([...processors, processor]),
  );
}

/** All that happens in one `run` has one run id, across handoffs. */
function asRun(run: AnyMethod, meter: CurrentMeter): AnyMethod {
  return function (this: unknown, ...args) {
    const invoke = (): unknown => run.apply(this, args);
    const next = quietly('starting a run', () => {
      if (meter()?.audience() === undefined) return undefined;
      const active = activeContext();
      const isInRun = agentScopeOf(active) !== undefined;
      if (isInRun) return active;
      const given = idFrom(usageContextOf(active).attributes?.[ATTR.runId]);
      return setAgentScope(active, { runId: given ?? randomUUID(), steps: [] });
    });
    return next === undefined ? invoke() : runIn(next, invoke);
  };
}

function processorOf(steps: RunSteps): object {
  const done = (): Promise<void> => Promise.resolve();
  return {
    onTraceStart: done,
    onTraceEnd: done,
    onSpanStart(span: SdkSpan) {
      quietly('starting a step', () => steps.started(span));
      return done();
    },
    onSpanEnd(span: SdkSpan) {
      quietly('ending a step', () => steps.ended(span));
      return done();
    },
    shutdown: done,
    forceFlush: done,
  };
}
