import type { Attributes } from '@opentelemetry/api';
import { runInStep, type RunInStepOptions } from '../call/run-in-step.ts';
import { ATTR_TOOL } from '../otel/semconv.ts';
import type { OpenStep } from '../agents/open-step.ts';
import type { StepStart } from '../agents/step-start.ts';
import { quietly } from '../host/quietly.ts';
import type { CurrentMeter } from './sdk-patch.ts';

export interface ToolCall {
  readonly name: string;
  readonly callId?: string | undefined;
  readonly description?: string | undefined;
  /** @default 'function' */
  readonly type?: 'function' | 'extension' | 'datastore' | undefined;
  readonly input?: unknown;
}

/** Runs a function of the application as the execution of a tool. `describe` is asked while metering is on. */
export function runTool<T>(
  meter: CurrentMeter,
  describe: () => ToolCall & Pick<StepStart, 'nativeSpan'>,
  fn: () => T,
  options: Pick<RunInStepOptions, 'isFailure'> = {},
): T {
  return runInStep(startTool(meter, describe), fn, { ...options, withOutput: true });
}

/** The execution of a tool, whose end is reported later. */
export function startTool(
  meter: CurrentMeter,
  describe: () => ToolCall & Pick<StepStart, 'nativeSpan' | 'parent'>,
): OpenStep | undefined {
  return startStep(meter, () => {
    const { name, input, nativeSpan, parent, ...call } = describe();
    return { kind: 'tool', name, input, nativeSpan, parent, attributes: toolAttributes(call) };
  });
}

/** Undefined while metering is off, and where the step cannot be described. */
export function startStep(meter: CurrentMeter, describe: () => StepStart): OpenStep | undefined {
  return quietly('starting a step', () => {
    const calls = meter();
    return calls?.audience() === undefined ? undefined : calls.startStep(describe());
  });
}

function toolAttributes({ callId, description, type }: Omit<ToolCall, 'name'>): Attributes {
  return {
    [ATTR_TOOL.type]: type ?? 'function',
    ...(callId !== undefined && { [ATTR_TOOL.callId]: callId }),
    ...(description !== undefined && { [ATTR_TOOL.description]: description }),
  };
}
