import type { Context, Span } from '@opentelemetry/api';
import { invocationSpans, withInvocationSpans } from '../agents/invocation-spans.ts';
import type { StepStart } from '../agents/step-start.ts';
import { runInStep, type Surrounding } from '../call/run-in-step.ts';
import { activeContext, runIn } from '../context.ts';
import { quietly } from '../host/quietly.ts';
import type { CurrentMeter } from './sdk-patch.ts';
import { startStep } from './tool-step.ts';

/**
 * Runs an agent or a workflow of an SDK that makes spans by itself: these are enriched, and none is made beside them.
 * Metering that is off may be switched on before the end, so that spans of model calls are noted all the same.
 */
export function runWithSpans<T>(
  meter: CurrentMeter,
  describe: () => Pick<StepStart, 'kind' | 'name'>,
  fn: () => T,
): T {
  const [parent, spans] = withInvocationSpans(activeContext());
  const step = startStep(meter, () => ({ ...describe(), parent, isSpanless: true }));
  spans.step = step;
  return runInStep(step ?? withoutStep(parent), fn);
}

function withoutStep(inside: Context): Surrounding {
  const nothing = (): void => undefined;
  return { run: (fn) => runIn(inside, fn), end: nothing, endsWith: nothing };
}

/** The SDK has made the span of the invocation that is running. */
export function noteAgentSpan(span: Span | undefined): void {
  quietly('enriching a span', () => {
    if (span !== undefined) invocationSpans(activeContext())?.step?.adopt(span);
  });
}

/** The SDK has made a span for the model call that comes next, or has ended it. */
export function noteModelSpan(span: Span | undefined): void {
  quietly('enriching a span', () => {
    const spans = invocationSpans(activeContext());
    if (spans !== undefined) spans.model = span;
  });
}
