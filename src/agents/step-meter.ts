import { randomBytes, randomUUID } from 'node:crypto';
import {
  isSpanContextValid,
  SpanKind,
  trace,
  type Attributes,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { activeContext, usageContextOf } from '../context.ts';
import { innermost, STEPS_MAX, type AgentStep } from '../domain/agent-step.ts';
import { dimensionValue } from '../domain/dimensions.ts';
import { idFrom } from '../domain/id-from.ts';
import { quietly, warnOnce } from '../host/quietly.ts';
import {
  ATTR,
  ATTR_TOOL,
  ATTR_WORKFLOW_NAME,
  STEP_OPERATION,
  type SemconvGeneration,
} from '../otel/semconv.ts';
import { agentScopeOf, setAgentScope, type InvocationCounts } from './agent-scope.ts';
import { addMissing, OpenStep, setContent } from './open-step.ts';
import { type OpenOperation, type OperationStart, Operations } from './operation.ts';
import { StepMetrics } from './step-metrics.ts';
import type { StepStart } from './step-start.ts';

export interface StepMeterOptions {
  readonly tracer: () => Tracer;
  readonly generations: readonly SemconvGeneration[];
  readonly captureContent: boolean;
  /** `enrich`: a span that an SDK makes for a step is used in place of one of ours. */
  readonly nativeSpans: 'enrich' | 'separate';
  /** False while nobody knows whether calls are to be recorded: then steps have neither span nor metrics. */
  readonly isEmitting: () => boolean;
}

/** Starts the steps of runs: where the manual functions and every SDK's patch come together. */
export class StepMeter {
  readonly #options: StepMeterOptions;
  readonly #metrics = new StepMetrics();
  readonly #operations: Operations;

  constructor(options: StepMeterOptions) {
    this.#options = options;
    this.#operations = new Operations(options.tracer);
  }

  /** `meters`: where its metrics go. */
  start(start: StepStart, meters: () => readonly Meter[]): OpenStep | undefined {
    return quietly('starting a step', () => this.#start(start, meters));
  }

  /** A request to or from a tool server. Undefined while nobody knows whether calls are recorded. */
  startOperation(start: OperationStart, meters: () => readonly Meter[]): OpenOperation | undefined {
    if (!this.#options.isEmitting()) return undefined;
    return quietly('starting an operation', () => this.#operations.start(start, meters));
  }

  #start(start: StepStart, meters: () => readonly Meter[]): OpenStep | undefined {
    const { generations, captureContent, isEmitting } = this.#options;
    const parent = start.parent ?? activeContext();
    const around = agentScopeOf(parent);
    const name = nameOf(start);
    if (name === undefined || (around?.steps.length ?? 0) >= STEPS_MAX) return undefined;
    const { attributes: own = {} } = usageContextOf(parent);
    const runId = around?.runId ?? idFrom(start.runId) ?? idFrom(own[ATTR.runId]) ?? randomUUID();
    const agentName = innermost(around?.steps ?? [], 'agent');
    const startedAtMs = start.startedAtMs ?? Date.now();
    const isSeen = start.isSilent !== true && isEmitting();
    const foreign =
      start.span ?? (this.#options.nativeSpans === 'enrich' ? start.nativeSpan : undefined);
    const attributes = { ...start.attributes, ...attributesOf(start.kind, name, generations) };
    attributes[ATTR.runId] = runId;
    if (start.kind === 'tool' && agentName !== undefined) attributes[ATTR.agentName] = agentName;
    const conversation = idFrom(usageContextOf(parent).conversationId);
    if (conversation !== undefined && start.kind !== 'tool') {
      attributes[ATTR.conversationId] = conversation;
    }
    const isSpanless = start.isSpanless === true && this.#options.nativeSpans === 'enrich';
    const span =
      isSeen && !isSpanless
        ? (enriched(foreign, attributes) ??
          this.#options
            .tracer()
            .startSpan(
              `${STEP_OPERATION[start.kind]} ${name}`,
              { kind: SpanKind.INTERNAL, startTime: startedAtMs, attributes },
              parent,
            ))
        : undefined;
    if (captureContent && start.input !== undefined && span?.isRecording() === true) {
      setContent(span, ATTR_TOOL.arguments, start.input);
    }
    const step: AgentStep = { id: idOf(span), kind: start.kind, name };
    const isCounted = start.isCounted !== false;
    const counts = countsOf(start.kind, around?.counts, isCounted);
    const scope = { runId, steps: [...(around?.steps ?? []), step], counts };
    const inside = setAgentScope(parent, scope);
    return new OpenStep({
      begun: { step, agentName, counts, attributes },
      context: span === undefined ? inside : trace.setSpan(inside, span),
      span,
      spanIsForeign: span !== undefined && span === foreign,
      awaitsSpan: isSeen && isSpanless,
      captureContent,
      startedAtMs,
      onEnd: (ended) => {
        if (!isSeen || !isCounted) return;
        for (const meter of meters()) {
          quietly('recording metrics', () => this.#metrics.record(meter, ended));
        }
      },
    });
  }
}

/** A text of bounded length; undefined for what is none. */
function nameOf({ kind, name }: StepStart): string | undefined {
  const sound = dimensionValue(name)?.value;
  if (sound === undefined) {
    warnOnce(`step ${kind}`, `a step without a name is left out: the name of a ${kind} is a text`);
  }
  return sound;
}

function attributesOf(
  kind: StepStart['kind'],
  name: string,
  generations: readonly SemconvGeneration[],
): Attributes {
  const operation = { [ATTR.operationName]: STEP_OPERATION[kind] };
  if (kind === 'tool') return { ...operation, [ATTR_TOOL.name]: name };
  if (kind === 'agent') return { ...operation, [ATTR.agentName]: name };
  return {
    ...operation,
    ...(generations.includes('v1_41') && { [ATTR_WORKFLOW_NAME]: name }),
    ...(generations.includes('latest') && { [ATTR.agentName]: name }),
  };
}

/** The SDK's span with what it lacks. */
function enriched(span: Span | undefined, attributes: Attributes): Span | undefined {
  if (span === undefined) return undefined;
  addMissing(span, attributes);
  return span;
}

function idOf(span: Span | undefined): string {
  const context = span?.spanContext();
  return context !== undefined && isSpanContextValid(context)
    ? context.spanId
    : randomBytes(8).toString('hex');
}

/** An agent has its own; a tool's calls are those of the agent that runs it. */
function countsOf(
  kind: StepStart['kind'],
  around: InvocationCounts | undefined,
  isCounted: boolean,
): InvocationCounts | undefined {
  if (kind === 'tool') {
    if (around !== undefined && isCounted) around.toolCalls += 1;
    return around;
  }
  return kind === 'agent' ? { inferenceCalls: 0, toolCalls: 0 } : undefined;
}
