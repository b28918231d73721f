import type { Span } from '@opentelemetry/api';
import type { RunPosition } from './agent-step.ts';
import type { CallShape } from './call-shape.ts';
import type { Reply } from './reply.ts';
import type { RequestFacts } from './request-facts.ts';
import type { UsageContext } from './usage-context.ts';
import type { Outcome } from './usage-record.ts';

/** Result of a call, however it ended. */
export interface EndedCall {
  readonly provider: string;
  readonly shape: CallShape;
  readonly facts: RequestFacts;
  /** Snapshot made at the start; `undefined` when nothing is counted or captured from it. */
  readonly request: unknown;
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  readonly usageContext: UsageContext;
  /** Absent for calls outside of agents, tools and workflows. */
  readonly run?: RunPosition | undefined;
  readonly span: Span;
  /** The SDK created the span and ends it; only attributes may be added. */
  readonly spanIsForeign: boolean;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly timeToFirstChunkMs: number | undefined;
  /** Times between chunks: each of them, or only their mean. */
  readonly chunkGapsMs: readonly number[];
  readonly outcome: Outcome;
  readonly errorType: string | undefined;
  readonly reply: Reply;
  /** At least part of a reply arrived, so the provider processed the request. */
  readonly replied: boolean;
  /** State of the switch when the call started. */
  readonly tokenStatistics: boolean;
}
