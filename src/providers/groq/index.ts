import { patchApiClient } from '../api-client.ts';
import { chatCompletions } from '../openai/chat-completions.ts';
import { openaiBatchLine } from '../openai/batch-line.ts';
import { embeddings } from '../openai/completions.ts';
import { transcriptionOf } from '../openai/media.ts';
import { speech } from '../openai/speech.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { SdkPatch } from '../sdk-patch.ts';
import { groqUsageObject } from './usage.ts';

/** Groq bills at least ten seconds of each request (console.groq.com/docs/speech-to-text, read 2026-11). */
const transcription = transcriptionOf({ leastSeconds: 10 });

const SHAPES: readonly (readonly [ending: string, shape: CallShape])[] = [
  ['/chat/completions', chatCompletions({ usageOf: groqUsageObject })],
  ['/embeddings', embeddings],
  ['/audio/transcriptions', transcription],
  ['/audio/translations', transcription],
  ['/audio/speech', speech],
];

export const groq: SdkPatch = {
  moduleName: 'groq-sdk',
  testedMajors: [1, 1],
  entries: [{ name: 'client', file: 'client.js' }],
  patch: (moduleExports, meter) =>
    patchApiClient(
      moduleExports,
      {
        provider: () => 'groq',
        batch: {
          idOf: (path) => /\/files\/([^/]+)\/content$/.exec(path)?.[1],
          describes: (path) => /\/batches(?:\/[^/]+)?$/.test(path),
          resultOf: openaiBatchLine,
        },
        shape: (path) => SHAPES.find(([ending]) => path.endsWith(ending))?.[1],
      },
      meter,
    ),
};
