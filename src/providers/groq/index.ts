import { patchApiClient } from '../api-client.ts';
import { chatCompletions } from '../openai/chat-completions.ts';
import { openaiBatchLine } from '../openai/batch-line.ts';
import { embeddings } from '../openai/completions.ts';
import type { SdkPatch } from '../sdk-patch.ts';
import { groqUsageObject } from './usage.ts';

const chat = chatCompletions({ usageOf: groqUsageObject });

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
        shape: (path) => {
          if (path.endsWith('/chat/completions')) return chat;
          return path.endsWith('/embeddings') ? embeddings : undefined;
        },
      },
      meter,
    ),
};
