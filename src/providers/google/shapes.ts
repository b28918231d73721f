import { fields, objectAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
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
