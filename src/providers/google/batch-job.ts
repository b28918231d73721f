import { fields, isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import type { BatchResult } from '../batch/batch-results.ts';
import { madeAt } from '../batch/made-at.ts';
import { namedIdentity } from '../named-identity.ts';
import { failureIn } from '../reply-failure.ts';
import { modelName } from './generate-request.ts';
import { embedContent, generateContent } from './shapes.ts';

/** The results that a finished batch job holds itself, one by one. */
export function* googleBatchResults(job: unknown): Generator<BatchResult> {
  const dest = objectAt(job, 'dest');
  const { endTime, updateTime } = fields(job);
  const model = modelName(job);
  const madeAtMs = madeAt(endTime ?? updateTime);
  for (const [shape, list] of [
    [generateContent, 'inlinedResponses'],
    [embedContent, 'inlinedEmbedContentResponses'],
  ] as const) {
    for (const [index, given] of listOf(dest?.[list]).entries()) {
      if (!isObject(given)) continue;
      const { response, metadata } = given;
      const code = response ? undefined : failureIn(given);
      if (!response && code === undefined) continue;
      yield {
        shape,
        resultId: `${list} ${index}`,
        customId: stringAt(metadata, 'key'),
        facts: { ...namedIdentity(metadata), model },
        madeAtMs,
        ...(code === undefined
          ? { body: response }
          : { failure: { outcome: 'error', type: code } }),
      };
    }
  }
}
