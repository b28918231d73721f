import type { Attributes, Context, Span } from '@opentelemetry/api';
import type { StepKind } from '../domain/agent-step.ts';

/** What is known of a step when it begins. */
export interface StepStart {
  readonly kind: StepKind;
  readonly name: string;
  /** Id of the run, where this step begins one. @default a new UUID */
  readonly runId?: string | undefined;
  /** Of the step's span, beside its name and operation. */
  readonly attributes?: Attributes | undefined;
  /** Arguments of a tool, on its span with `captureContent` alone. */
  readonly input?: unknown;
  /** The span that an SDK made for this very step: it is used in place of one of ours. */
  readonly nativeSpan?: Span | undefined;
  /** A span of this package that the caller ends: it is used in place of a new one. */
  readonly span?: Span | undefined;
  /** False for the far side of a tool whose caller counts it. @default true */
  readonly isCounted?: boolean | undefined;
  /** Somebody else makes a span for this very step inside: ours is left out. @default false */
  readonly isSpanless?: boolean | undefined;
  /** Neither span nor metrics: the end of the step will not be known. @default false */
  readonly isSilent?: boolean | undefined;
  /** @default the active Context */
  readonly parent?: Context | undefined;
  /** Milliseconds since 1970. @default now */
  readonly startedAtMs?: number | undefined;
}
