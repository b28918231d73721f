import type { CallShape } from '../../domain/call-shape.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';
import { fields, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { modelFacts } from './prompt.ts';

const image: CallShape = {
  operation: 'image_generation',
  inputOnly: true,
  request: modelFacts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => {
      const { usage, durationInSeconds, images } = fields(reply);
      const { inputTokens, outputTokens } = fields(usage);
      const generatedImages = listOf(images).length;
      return {
        usage: usageOf({
          inputTokens: tokenCount(inputTokens),
          outputTokens: tokenCount(outputTokens),
          cacheReadTokens: undefined,
          cacheWriteTokens: undefined,
          reasoningTokens: undefined,
          audioInputSeconds: typeof durationInSeconds === 'number' ? durationInSeconds : undefined,
          generatedImages: generatedImages === 0 ? undefined : generatedImages,
        }),
        responseModel: stringAt(objectAt(reply, 'response'), 'modelId'),
      };
    }),
  countable: () => ({ kind: 'unknown' }),
};
const video: CallShape = { ...image, operation: 'video_generation' };
const speech: CallShape = { ...image, operation: 'speech' };
const transcription: CallShape = { ...image, operation: 'transcription' };

/** `doGenerate` of the models that have no `doStream`: whole replies, without text to count. */
export function mediaShape(options: unknown): CallShape {
  const { audio, text, fps, duration } = fields(options);
  if (audio !== undefined) return transcription;
  if (text !== undefined) return speech;
  return fps === undefined && duration === undefined ? image : video;
}
