import type { Meter } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../domain/ended-call.ts';
import { recordId, recordTime } from './record-id.ts';

export interface RecordIds {
  readonly id: string;
  readonly time: string;
}

/** What of a record goes where. */
export interface Targets {
  readonly ids: RecordIds;
  readonly meters: readonly Meter[];
  readonly loggers: readonly Logger[];
  readonly span: boolean;
}

/**
 * One call on its way through the pipelines of all instrumentations of the process. What several of
 * them have in common (the globally registered providers, the span) gets it once, and its records have
 * one id and one time, so that a store reached in two ways keeps one.
 */
export class Delivery {
  readonly #reached = new Set<object>();
  #ids: RecordIds | undefined;

  ids({ startedAtMs, durationMs }: EndedCall): RecordIds {
    const endedAtMs = startedAtMs + durationMs;
    return (this.#ids ??= { id: recordId(endedAtMs), time: recordTime(endedAtMs) });
  }

  /** True the first time. */
  reaches(target: object): boolean {
    return this.#reached.size < this.#reached.add(target).size;
  }
}
