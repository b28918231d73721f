import type { UsageAttributeValue } from '../domain/usage-record.ts';

/** Attributes of one item: scalars only, lists and objects are left out. */
export type ReceivedAttributes = Readonly<Record<string, UsageAttributeValue>>;

/** Where an item comes from. */
export interface Origin {
  /** Attributes of the resource: `service.name` … */
  readonly resource: ReceivedAttributes;
  /** Name of the instrumentation. */
  readonly scope: string;
}

export interface ReceivedSpan extends Origin {
  readonly name: string;
  /** Hex; empty when absent. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Nanoseconds since 1970. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly isError: boolean;
  /** Class of the exception that the span recorded. */
  readonly exception: string | undefined;
  readonly attributes: ReceivedAttributes;
}

export interface ReceivedLog extends Origin {
  /** `event_name`, or the attribute `event.name` of older senders. */
  readonly eventName: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the span of the event was sampled, so that it is exported as well. */
  readonly isSampled: boolean;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly attributes: ReceivedAttributes;
}
