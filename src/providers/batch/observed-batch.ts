import { observeResponse } from '../../call/observed-response.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { BatchFile } from './batch-file.ts';
import { BatchDescription, modelOfResults } from './batch-models.ts';
import { type BatchResult, type BatchSource, recordResult } from './batch-results.ts';

/** How an SDK fetches the results of batches: as a file of lines. */
export interface BatchResults {
  /** Id of the batch or file whose lines a path fetches. */
  readonly idOf: (path: string) => string | undefined;
  /** Whether the reply to a GET of this path describes batches, which may name their model. */
  readonly describes?: (path: string) => boolean;
  /** Undefined for a line that is no result. */
  readonly resultOf: (line: unknown) => BatchResult | undefined;
}

/** Watches a response, which is handed out as it is, however its lines are read. */
type WatchResponse = (
  response: object,
  meter: CurrentMeter,
  source: Omit<BatchSource, 'batchId'>,
) => void;

/** What to do with the reply to a GET of this path; undefined where it has nothing to do with batches. */
export function batchWatcher(batch: BatchResults, path: string): WatchResponse | undefined {
  const batchId = batch.idOf(path);
  if (batchId !== undefined) {
    return (response, meter, source) => {
      const file = (): BatchFile =>
        new BatchFile((line) => {
          const result = batch.resultOf(line);
          if (result === undefined) return false;
          const model = result.facts?.model ?? modelOfResults(batchId);
          recordResult(
            meter,
            { ...source, batchId },
            { ...result, facts: { ...result.facts, model } },
          );
          return true;
        });
      observeResponse(response, file(), () => false, file);
    };
  }
  return batch.describes?.(path) === true
    ? (response) => observeResponse(response, new BatchDescription(), () => false)
    : undefined;
}
