import { createContextKey, type Context } from '@opentelemetry/api';
import { agentScopeOf } from '../../agents/agent-scope.ts';
import type { OpenStep } from '../../agents/open-step.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { startStep } from '../tool-step.ts';

const RUN = createContextKey('otel-token-meter run of agents');

export function withAgentRun(onto: Context, agents: AgentRun): Context {
  return onto.setValue(RUN, agents);
}

export function agentRun(from: Context): AgentRun | undefined {
  return from.getValue(RUN) as AgentRun | undefined;
}

/** One run of a workflow: the agents that work in it, each until it is done or hands over. */
export class AgentRun {
  readonly #meter: CurrentMeter;
  readonly #around: Context;
  readonly #open = new Map<string, OpenStep>();
  #runId: string | undefined;

  /** @param around the Context in which the run began */
  constructor(meter: CurrentMeter, around: Context) {
    this.#meter = meter;
    this.#around = around;
  }

  /** The step of the agent, which begins with the first thing that it does. */
  stepOf(name: string): OpenStep | undefined {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const [parent, runId] = [this.#around, this.#runId];
    const step = startStep(this.#meter, () => ({ kind: 'agent', name, parent, runId }));
    if (step === undefined) return undefined;
    this.#runId ??= agentScopeOf(step.context)?.runId;
    this.#open.set(name, step);
    return step;
  }

  ended(name: string, error?: unknown): void {
    const step = this.#open.get(name);
    this.#open.delete(name);
    step?.end(error === undefined ? {} : { error });
  }
}
