import type { Span } from '@opentelemetry/api';
import type { CallShape } from './call-shape.ts';
import type { Reply } from './reply.ts';
import type { RequestFacts } from './request-facts.ts';
import type { UsageContext } from './usage-context.ts';
import type { Outcome } from './usage-record.ts';

/** What a call hands on when it has ended, however it ended. */
export interface EndedCall {
  readonly provider: string;
  readonly shape: CallShape;
  readonly facts: RequestFacts;
  /** Taken at the start; undefined when nothing will be counted or captured from it. */
  readonly request: unknown;
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  readonly usageContext: UsageContext;
  readonly span: Span;
  /** The SDK made the span and ends it; only attributes may be added. */
  readonly spanIsForeign: boolean;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly timeToFirstChunkMs: number | undefined;
  /** Times from one chunk to the next: each of them, or their mean alone. */
  readonly chunkGapsMs: readonly number[];
  readonly outcome: Outcome;
  readonly errorType: string | undefined;
  readonly reply: Reply;
  /** Something of a reply arrived, so the provider has worked on the request. */
  readonly replied: boolean;
  /** State of the switch when the call started. */
  readonly tokenStatistics: boolean;
}
