import type { Context } from '@opentelemetry/api';
import { agentScopeOf, enteredStep } from '../../agents/agent-scope.ts';
import type { OpenStep } from '../../agents/open-step.ts';
import { activeContext } from '../../context.ts';
import { ATTR_TOOL } from '../../otel/semconv.ts';
import { isObject, stringAt } from '../../tokens/json.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { startStep } from '../tool-step.ts';
import { currentSdkSpan, type SdkSpan, stepOfSpan } from './sdk-spans.ts';

interface Entry {
  readonly step: OpenStep;
  /** What was active when the step began, without steps of the SDK. */
  readonly around: Context;
}

/** Spans whose end is never reported are forgotten, the oldest first. */
const OPEN_MAX = 10_000;

/**
 * Steps of the SDK's spans. A started span is a step with a span and metrics. Where tracing is disabled no span is
 * reported: the steps are then found when a call is made, and only its record has them.
 */
export class RunSteps {
  readonly #meter: CurrentMeter;
  /** By span id: the nearest step, for a span that is none too. */
  readonly #open = new Map<string, Entry | undefined>();
  /** By the data of a span, which its copies share. */
  readonly #byData = new WeakMap<object, Entry>();
  #isStarting = false;

  constructor(meter: CurrentMeter) {
    this.#meter = meter;
  }

  started(span: SdkSpan): void {
    if (typeof span.spanId !== 'string') return;
    // The SDK is in the new span already.
    this.#isStarting = true;
    const around = activeContext();
    this.#isStarting = false;
    const parent = typeof span.parentId === 'string' ? this.#open.get(span.parentId) : undefined;
    const entry = this.#start(span, parent, around, false);
    if (this.#open.size >= OPEN_MAX) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest);
        break;
      }
    }
    this.#open.set(span.spanId, entry ?? parent);
  }

  ended(span: SdkSpan): void {
    if (typeof span.spanId !== 'string') return;
    this.#open.delete(span.spanId);
    const { spanData: data, error } = span;
    const entry = isObject(data) ? this.#byData.get(data) : undefined;
    const output = isObject(data) ? stringAt(data, 'output') : undefined;
    entry?.step.end({
      ...(isObject(error) && { errorType: 'Error' }),
      ...(output !== undefined && { output }),
    });
  }

  /** `active` in the step that the SDK is in. */
  enter(active: Context): Context {
    if (this.#isStarting) return active;
    const span = currentSdkSpan();
    const entry = span && this.#entryOf(span, active);
    return entry === undefined ? active : within(active, entry);
  }

  #entryOf(span: SdkSpan, active: Context): Entry | undefined {
    const { spanData: data, spanId, previousSpan } = span;
    const known = isObject(data) ? this.#byData.get(data) : undefined;
    if (known !== undefined) return known;
    const isReported = typeof spanId === 'string' && this.#open.has(spanId);
    if (isReported) return this.#open.get(spanId);
    const previous = isObject(previousSpan) ? this.#entryOf(previousSpan, active) : undefined;
    if (stepOfSpan(span) === undefined) return previous;
    return this.#start(span, previous, active, true);
  }

  #start(
    span: SdkSpan,
    outer: Entry | undefined,
    around: Context,
    isSilent: boolean,
  ): Entry | undefined {
    const found = stepOfSpan(span);
    if (found === undefined) return undefined;
    const { kind, name, data } = found;
    const parent = outer === undefined ? around : within(around, outer);
    const step = startStep(this.#meter, () => ({
      kind,
      name,
      parent,
      isSilent,
      ...(kind === 'tool' && {
        attributes: { [ATTR_TOOL.type]: 'function' },
        input: stringAt(data, 'input') || undefined,
      }),
    }));
    if (step === undefined) return undefined;
    const entry = { step, around };
    this.#byData.set(data, entry);
    return entry;
  }
}

function within(active: Context, { step, around }: Entry): Context {
  const run = agentScopeOf(active)?.runId;
  // Of another run that has ended.
  if (run !== undefined && agentScopeOf(step.context)?.runId !== run) return active;
  return enteredStep(active, step.context, around);
}
