import type { WholeSink } from '../../call/raw-body.ts';
import { fields, listOf, text } from '../../tokens/json.ts';

/** Batches remembered; beyond, the oldest are forgotten. */
const REMEMBERED_MAX = 1000;

/** Models of batches, by the files of their results. */
const models = new Map<string, string>();

/** The model of a batch whose results are in a file, if the batch was looked at: results of images name none. */
export function modelOfResults(fileId: string): string | undefined {
  return models.get(fileId);
}

/** Takes what a reply says of a batch, or of a page of batches. */
export class BatchDescription implements WholeSink {
  ended = false;

  arrived(): void {}

  reading(): void {}

  event(): void {}

  streamEnded(): void {
    this.ended = true;
  }

  failed(): void {
    this.ended = true;
  }

  complete(reply: unknown): void {
    this.ended = true;
    for (const batch of [reply, ...listOf(fields(reply)['data'])]) note(fields(batch));
  }
}

function note(batch: Readonly<Record<string, unknown>>): void {
  const [model, file] = [text(batch['model']), text(batch['output_file_id'])];
  if (model === undefined || file === undefined) return;
  models.set(file, model);
  const [oldest] = models.keys();
  if (models.size > REMEMBERED_MAX && oldest !== undefined) models.delete(oldest);
}
