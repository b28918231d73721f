import type { Meter, Span } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../domain/ended-call.ts';
import { recordId, recordTime } from './record-id.ts';

export interface RecordIds {
  readonly id: string;
  readonly time: string;
}

/** Where one instrumentation sends a record. */
export interface Destinations {
  readonly meters: readonly Meter[];
  readonly loggers: readonly Logger[];
  readonly span: Span;
}

/** What of a record goes where. */
export interface Targets {
  readonly meters: readonly Meter[];
  readonly loggers: readonly Logger[];
  readonly span: boolean;
}

/**
 * One call on its way through the pipelines of all instrumentations of the process. What several of
 * them have in common (the globally registered providers, the span) gets it once, from the first that
 * emits it, and its records have one id and one time, so that a store reached in two ways keeps one.
 */
export class Delivery {
  readonly #reached = new Set<object>();
  readonly #countedDrop = new Set<Meter>();
  #ids: RecordIds | undefined;

  ids({ startedAtMs, durationMs }: EndedCall): RecordIds {
    const endedAtMs = startedAtMs + durationMs;
    return (this.#ids ??= { id: recordId(endedAtMs), time: recordTime(endedAtMs) });
  }

  /** Those that nobody has sent the record to; it is for the caller to do so, now. */
  claim({ meters, loggers, span }: Destinations): Targets {
    return {
      meters: meters.filter((meter) => this.#reaches(meter)),
      loggers: loggers.filter((logger) => this.#reaches(logger)),
      span: this.claimSpan(span),
    };
  }

  claimSpan(span: Span): boolean {
    return this.#reaches(span);
  }

  /** Those that have no record of this call, to count that it was dropped, once. */
  claimDrop(meters: readonly Meter[]): readonly Meter[] {
    const without = meters.filter(
      (meter) => !this.#reached.has(meter) && !this.#countedDrop.has(meter),
    );
    for (const meter of without) this.#countedDrop.add(meter);
    return without;
  }

  /** True the first time. */
  #reaches(target: object): boolean {
    return this.#reached.size < this.#reached.add(target).size;
  }
}
