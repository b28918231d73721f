import { patchApiClient } from '../api-client.ts';
import { chatCompletions } from '../openai/chat-completions.ts';
import { openaiBatchLine } from '../openai/batch-line.ts';
import { completions, embeddings } from '../openai/completions.ts';
import { images, transcription } from '../openai/media.ts';
import { speech } from '../openai/speech.ts';
import { rerank } from '../openai/input-only.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { SdkPatch } from '../sdk-patch.ts';

const SHAPES: readonly (readonly [ending: string, shape: CallShape])[] = [
  ['/chat/completions', chatCompletions()],
  ['/embeddings', embeddings],
  ['/completions', completions],
  ['/images/generations', images],
  ['/audio/transcriptions', transcription],
  ['/audio/translations', transcription],
  ['/audio/speech', speech],
  ['/rerank', rerank],
];

export const together: SdkPatch = {
  moduleName: 'together-ai',
  testedMajors: [0, 0],
  entries: [{ name: 'client', file: 'client.js' }],
  patch: (moduleExports, meter) =>
    patchApiClient(
      moduleExports,
      {
        provider: () => 'together_ai',
        batch: {
          idOf: (path) => /\/files\/([^/]+)\/content$/.exec(path)?.[1],
          resultOf: openaiBatchLine,
        },
        shape: (path) => SHAPES.find(([ending]) => path.endsWith(ending))?.[1],
      },
      meter,
    ),
};
