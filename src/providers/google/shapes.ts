import { fields, listOf, objectAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { imageAttributes } from '../openai/media.ts';
import { namedIdentity } from '../named-identity.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { streamed } from '../streamed.ts';
import { GenerateContentReader } from './generate-reader.ts';
import { embeddingCountable, generateCountable, modelName } from './generate-request.ts';
import { embeddingUsage } from './usage.ts';

export const generateContent: CallShape = {
  operation: 'generate_content',
  request: (request) => ({
    model: modelName(request),
    // Vertex keeps labels with its bill.
    ...namedIdentity(objectAt(objectAt(request, 'config'), 'labels')),
  }),
  reader: (options) => new GenerateContentReader(options),
  countable: generateCountable,
};

export const generateContentStream: CallShape = streamed(generateContent);

export const embedContent: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: (request) => ({ model: modelName(request) }),
  reader: (options) => new InputOnlyReader(options, (reply) => ({ usage: embeddingUsage(reply) })),
  countable: (request) => embeddingCountable(fields(request)['contents']),
};

/** Imagen: made, edited and enlarged images, billed by their number. Those that a filter held back are not. */
export const generateImages: CallShape = {
  operation: 'image_generation',
  inputOnly: true,
  request: (request) => ({
    model: modelName(request),
    attributes: imageAttributes({ size: objectAt(request, 'config')?.['imageSize'] }),
  }),
  reader: (options) =>
    new InputOnlyReader(options, (reply) => {
      const images = listOf(fields(reply)['generatedImages']);
      const generatedImages = images.filter(
        (image) => fields(image)['raiFilteredReason'] === undefined,
      ).length;
      return { usage: generatedImages === 0 ? undefined : { generatedImages } };
    }),
  countable: () => ({ kind: 'unknown' }),
};
