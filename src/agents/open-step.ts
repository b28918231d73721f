import {
  isSpanContextValid,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { runIn } from '../context.ts';
import { errorType, quietly } from '../host/quietly.ts';
import { lacks } from '../otel/native-span.ts';
import { ATTR, ATTR_TOOL } from '../otel/semconv.ts';
import { toJson } from '../tokens/json.ts';
import type { EndedStep } from './step-metrics.ts';

type BegunStep = Omit<EndedStep, 'durationMs' | 'errorType'>;

interface OpenStepParts {
  readonly begun: BegunStep;
  readonly context: Context;
  /** Absent where spans are not emitted, and where the SDK makes its own later on. */
  span: Span | undefined;
  spanIsForeign: boolean;
  /** Whether one of the SDK may still come. */
  readonly awaitsSpan: boolean;
  readonly captureContent: boolean;
  readonly startedAtMs: number;
  readonly onEnd: (ended: EndedStep) => void;
}

/** How a step ended. */
interface StepEnd {
  /** What was thrown; undefined if nothing was. */
  readonly error?: unknown;
  /** In place of an error: its type, never its message. */
  readonly errorType?: string | undefined;
  /** Result of a tool, on its span with `captureContent` alone. */
  readonly output?: unknown;
  readonly attributes?: Attributes | undefined;
  /** Milliseconds since 1970. @default now */
  readonly endedAtMs?: number | undefined;
}

/** Holds the step, never the object it ends with, which nobody reads any further once it is collected. */
const registry = new FinalizationRegistry<OpenStep>((step) => step.end());

/** A step of an agent's run: started once, ended once. None of its methods throws. */
export class OpenStep {
  #parts: OpenStepParts | undefined;
  #context: Context;

  constructor(parts: OpenStepParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** In which everything inside the step runs. */
  get context(): Context {
    return this.#context;
  }

  get ended(): boolean {
    return this.#parts === undefined;
  }

  run<T>(fn: () => T): T {
    return runIn(this.context, fn);
  }

  /** The span that the SDK has made for this step, where it was announced: what is missing is added to it. */
  adopt(span: Span): void {
    const parts = this.#parts;
    if (parts?.awaitsSpan !== true || parts.span !== undefined) return;
    quietly('enriching a span', () => {
      parts.span = span;
      parts.spanIsForeign = true;
      addMissing(span, parts.begun.attributes);
      if (!isSpanContextValid(span.spanContext())) return;
      // Records of the calls that follow name the step by its span.
      Object.assign(parts.begun.step, { id: span.spanContext().spanId });
      this.#context = trace.setSpan(this.#context, span);
    });
  }

  /** The step ends with what `handle` gives to its reader, at the latest when nobody has `handle` any more. */
  endsWith(handle: object | undefined): void {
    registry.unregister(this);
    if (handle !== undefined && !this.ended) registry.register(handle, this, this);
  }

  end({
    error,
    errorType: type,
    output,
    attributes = {},
    endedAtMs = Date.now(),
  }: StepEnd = {}): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#parts = undefined;
    registry.unregister(this);
    quietly('ending a step', () => {
      const { begun, span, spanIsForeign, captureContent, startedAtMs } = parts;
      const failure = type ?? (error === undefined ? undefined : errorType(error));
      if (span?.isRecording() === true) {
        if (spanIsForeign) addMissing(span, attributes);
        else span.setAttributes(attributes);
        if (captureContent && output !== undefined) setContent(span, ATTR_TOOL.result, output);
        if (failure !== undefined && (!spanIsForeign || lacks(span, ATTR.errorType))) {
          span.setAttribute(ATTR.errorType, failure);
        }
      }
      if (!spanIsForeign && span !== undefined) {
        if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(endedAtMs);
      }
      const durationMs = Math.max(0, endedAtMs - startedAtMs);
      parts.onEnd({ ...begun, durationMs, errorType: failure });
    });
  }
}

/** What is known already stays as it is. */
export function addMissing(span: Span, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && lacks(span, name)) span.setAttribute(name, value);
  }
}

/** Arguments and result as JSON, or as the text that they are. */
export function setContent(span: Span, name: string, content: unknown): void {
  const json = typeof content === 'string' ? content : toJson(content);
  if (json !== '') span.setAttribute(name, json);
}
