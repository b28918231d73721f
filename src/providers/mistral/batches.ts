import { observeReadableStream } from '../../call/observed-readable.ts';
import { workInSlices } from '../../call/sliced-work.ts';
import { quietly } from '../../host/quietly.ts';
import { fields, listOf, text } from '../../tokens/json.ts';
import { BatchFile } from '../batch/batch-file.ts';
import { recordResult } from '../batch/batch-results.ts';
import { serverAt } from '../metered-promise.ts';
import { replaceMethod } from '../patching.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { mistralBatchLine } from './batch-line.ts';

type Method = (
  this: { readonly _baseURL?: URL | null },
  request: unknown,
  ...rest: unknown[]
) => Promise<unknown>;

/** Records a line; false for one that is no result. */
type OnLine = (batchId: string, line: unknown) => boolean;
type WatchReply = (reply: unknown, request: unknown, onLine: OnLine) => void;

/** Results of batches are fetched as a file of lines, or stand in their job. `ownerOf`: the class of a resource. */
export function patchMistralBatches(
  ownerOf: (resource: string) => object | undefined,
  meter: CurrentMeter,
): void {
  for (const [resource, name, watch] of [
    ['files', 'download', watchFile],
    ['batch.jobs', 'get', watchJob],
  ] as const) {
    const owner = ownerOf(resource);
    if (owner === undefined || !Object.hasOwn(owner, name)) continue;
    replaceMethod<Method>(owner, name, (original) => watched(original, watch, meter));
  }
}

function watched(original: Method, watch: WatchReply, meter: CurrentMeter): Method {
  return function (request, ...rest) {
    const reply = original.call(this, request, ...rest);
    if (meter() === undefined) return reply;
    return reply.then((value) => {
      quietly('watching a batch', () =>
        watch(value, request, (batchId, line) => {
          const result = mistralBatchLine(line);
          if (result === undefined) return false;
          const source = { provider: 'mistral_ai', ...serverAt(this._baseURL), batchId };
          recordResult(meter, source, result);
          return true;
        }),
      );
      return value;
    });
  };
}

function watchFile(stream: unknown, request: unknown, onLine: OnLine): void {
  const id = text(fields(request)['fileId']) ?? '';
  observeReadableStream(stream, new BatchFile((line) => onLine(id, line)));
}

function watchJob(job: unknown, _request: unknown, onLine: OnLine): void {
  workInSlices(outputsOf(job, onLine));
}

function* outputsOf(job: unknown, onLine: OnLine): Generator<void> {
  const { id, outputs } = fields(job);
  for (const line of listOf(outputs)) yield void onLine(text(id) ?? '', line);
}
