import { createContextKey, type Context, type Span } from '@opentelemetry/api';
import type { OpenStep } from './open-step.ts';

/** Spans that an agent's SDK makes by itself during an invocation. */
interface InvocationSpans {
  /** Takes the span of the invocation. */
  step: OpenStep | undefined;
  /** Of the model call that is about to be made. */
  model: Span | undefined;
}

const SPANS = createContextKey('otel-token-meter invocation spans');

/** `onto` with the spans of an invocation that begins. */
export function withInvocationSpans(
  onto: Context,
): readonly [context: Context, spans: InvocationSpans] {
  const spans: InvocationSpans = { step: undefined, model: undefined };
  return [onto.setValue(SPANS, spans), spans];
}

/** Those of the innermost invocation. */
export function invocationSpans(from: Context): InvocationSpans | undefined {
  return from.getValue(SPANS) as InvocationSpans | undefined;
}

/** The span of the model call that is being made: of one call, and while the SDK has not ended it. */
export function takeModelSpan(from: Context): Span | undefined {
  const spans = invocationSpans(from);
  const model = spans?.model;
  if (spans !== undefined) spans.model = undefined;
  return model?.isRecording() === true ? model : undefined;
}
