import type { Attributes, Meter, MetricAttributes } from '@opentelemetry/api';
import { CappedValues } from '../otel/capped-values.ts';
import { SECONDS_BUCKETS } from '../otel/instruments.ts';
import { ATTR, ATTR_TOOL, STEP_OPERATION } from '../otel/semconv.ts';
import type { AgentStep } from '../domain/agent-step.ts';
import type { InvocationCounts } from './agent-scope.ts';

/** As release 0.1.0 of the conventions advises. */
const AGENT_SECONDS: readonly number[] = Array.from({ length: 13 }, (_, i) => 2 ** i / 10);
const CALLS: readonly number[] = Array.from({ length: 8 }, (_, i) => 2 ** i);

type Point = (value: number, attributes: MetricAttributes) => void;

interface Instruments {
  readonly agentSeconds: Point;
  readonly inferenceCalls: Point;
  readonly toolCalls: Point;
  readonly toolSeconds: Point;
}

/** A step that is over. */
export interface EndedStep {
  readonly step: AgentStep;
  /** Name of the agent that the step is part of. */
  readonly agentName: string | undefined;
  readonly counts: InvocationCounts | undefined;
  readonly durationMs: number;
  readonly errorType: string | undefined;
  readonly attributes: Attributes;
}

/** Metrics of agents, workflows and tools. Those of 0.1.0 have no older names, so every generation has them. */
export class StepMetrics {
  readonly #capped = new CappedValues();
  readonly #instruments = new WeakMap<Meter, Instruments>();

  record(meter: Meter, ended: EndedStep): void {
    let instruments = this.#instruments.get(meter);
    if (instruments === undefined) {
      instruments = makeInstruments(meter);
      this.#instruments.set(meter, instruments);
    }
    const { step, durationMs, errorType } = ended;
    const failure = errorType === undefined ? {} : { [ATTR.errorType]: errorType };
    if (step.kind === 'tool') {
      const type = ended.attributes[ATTR_TOOL.type];
      instruments.toolSeconds(durationMs / 1000, {
        [ATTR_TOOL.name]: this.#capped.of(ATTR_TOOL.name, step.name),
        ...(typeof type === 'string' && { [ATTR_TOOL.type]: type }),
        ...this.#agent(ended.agentName),
        ...failure,
      });
      return;
    }
    const agent = this.#agent(step.name);
    instruments.agentSeconds(durationMs / 1000, {
      [ATTR.operationName]: STEP_OPERATION[step.kind],
      ...agent,
      ...failure,
    });
    if (step.kind !== 'agent' || ended.counts === undefined) return;
    instruments.inferenceCalls(ended.counts.inferenceCalls, agent);
    instruments.toolCalls(ended.counts.toolCalls, agent);
  }

  #agent(name: string | undefined): MetricAttributes {
    return name === undefined ? {} : { [ATTR.agentName]: this.#capped.of(ATTR.agentName, name) };
  }
}

function makeInstruments(meter: Meter): Instruments {
  const histogram = (
    name: string,
    unit: string,
    description: string,
    buckets: readonly number[],
  ): Point => {
    const advice = { explicitBucketBoundaries: [...buckets] };
    const made = meter.createHistogram(name, { unit, description, advice });
    return (value, attributes) => made.record(value, attributes);
  };
  const agent = 'gen_ai.invoke_agent';
  return {
    agentSeconds: histogram(
      `${agent}.duration`,
      's',
      'Duration of an agent invocation or a workflow',
      AGENT_SECONDS,
    ),
    inferenceCalls: histogram(
      `${agent}.inference_calls`,
      '{inference_call}',
      'Inferences that an agent invocation made itself',
      CALLS,
    ),
    toolCalls: histogram(
      `${agent}.tool_calls`,
      '{tool_call}',
      'Tools that an agent invocation ran itself',
      CALLS,
    ),
    toolSeconds: histogram(
      'gen_ai.execute_tool.duration',
      's',
      'Duration of a tool execution',
      SECONDS_BUCKETS,
    ),
  };
}
