import { patchApiClient } from '../api-client.ts';
import type { CallShape, SdkPatch } from '../provider.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions, embeddings } from './completions.ts';
import { responses } from './responses.ts';

const chat = chatCompletions();

/** By the end of the path: Azure puts `/deployments/NAME` before it, gateways anything. */
const SHAPES: readonly (readonly [path: string, shape: CallShape])[] = [
  ['/chat/completions', chat],
  ['/responses', responses],
  ['/embeddings', embeddings],
  ['/completions', completions],
];

/** The SDK speaks to many servers; those with a name in the conventions are told by their host. */
const PROVIDERS: readonly (readonly [hostSuffix: string, provider: string])[] = [
  ['.openai.azure.com', 'azure.ai.openai'],
  ['.cognitiveservices.azure.com', 'azure.ai.openai'],
  ['.services.ai.azure.com', 'azure.ai.inference'],
  ['.deepseek.com', 'deepseek'],
  ['.x.ai', 'x_ai'],
  ['.groq.com', 'groq'],
  ['.mistral.ai', 'mistral_ai'],
  ['.perplexity.ai', 'perplexity'],
  ['.together.xyz', 'together_ai'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'],
];

function providerAt(host: string): string {
  return PROVIDERS.find(([suffix]) => `.${host}`.endsWith(suffix))?.[1] ?? 'openai';
}

export const openai: SdkPatch = {
  moduleName: 'openai',
  testedMajors: [4, 7],
  patch: (moduleExports, meter) =>
    patchApiClient(
      moduleExports,
      {
        exportNames: ['OpenAI'],
        provider: providerAt,
        shape: (path) => SHAPES.find(([end]) => path.endsWith(end))?.[1],
      },
      meter,
    ),
};
