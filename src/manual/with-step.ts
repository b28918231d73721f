import type { Attributes } from '@opentelemetry/api';
import { ATTR_AGENT, ATTR_TOOL } from '../otel/semconv.ts';
import { mayShare } from '../call/followed.ts';
import { runInStep } from '../call/run-in-step.ts';
import type { StepKind } from '../domain/agent-step.ts';
import { idFrom } from '../domain/id-from.ts';
import { quietly } from '../host/quietly.ts';
import { callMeterByHand } from '../metering-in-force.ts';

export interface AgentOptions {
  /** `gen_ai.agent.name`, such as `planner`. Names are few: they are values of metrics. */
  readonly name: string;
  /** Id of the run, where this agent begins one. @default a new UUID; inside a run always that run's */
  readonly runId?: string | undefined;
  /** `gen_ai.agent.id` of a service that hosts agents. */
  readonly id?: string | undefined;
  readonly description?: string | undefined;
  readonly version?: string | undefined;
}

export interface ToolOptions {
  /** `gen_ai.tool.name`, such as `search`. */
  readonly name: string;
  /** Id that the model gave the call of the tool. */
  readonly callId?: string | undefined;
  /** @default 'function' */
  readonly type?: 'function' | 'extension' | 'datastore' | undefined;
  readonly description?: string | undefined;
}

export interface WorkflowOptions {
  readonly name: string;
  /** As for an agent. */
  readonly runId?: string | undefined;
}

/**
 * Runs `fn` as one invocation of an agent: model calls inside, also across awaits, get its name and the id of the
 * run. The outermost agent or workflow begins the run. Returns what `fn` returns, and throws what it throws.
 */
export function withAgent<T>(agent: AgentOptions, fn: () => T): T {
  return withStep('agent', agent, fn, ({ id, description, version }) => ({
    [ATTR_AGENT.id]: idFrom(id),
    [ATTR_AGENT.description]: idFrom(description),
    [ATTR_AGENT.version]: idFrom(version),
  }));
}

/** The same for one execution of a tool: model calls inside are those that the tool caused. */
export function withTool<T>(tool: ToolOptions, fn: () => T): T {
  return withStep('tool', tool, fn, ({ callId, type, description }) => ({
    [ATTR_TOOL.type]: idFrom(type) ?? 'function',
    [ATTR_TOOL.callId]: idFrom(callId),
    [ATTR_TOOL.description]: idFrom(description),
  }));
}

/** The same for a fixed process around agents and tools. */
export function withWorkflow<T>(workflow: WorkflowOptions, fn: () => T): T {
  return withStep('workflow', workflow, fn, () => ({}));
}

function withStep<T, O extends { readonly name: string; readonly runId?: string | undefined }>(
  kind: StepKind,
  options: O,
  fn: () => T,
  attributesOf: (options: O) => Record<string, string | undefined>,
): T {
  const step = quietly('starting a step', () =>
    callMeterByHand()?.startStep({
      kind,
      name: options.name,
      runId: idFrom(options.runId),
      attributes: known(attributesOf(options)),
    }),
  );
  return runInStep(step, fn, { withOutput: kind === 'tool', isShared: mayShare(fn) });
}

function known(attributes: Record<string, string | undefined>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
