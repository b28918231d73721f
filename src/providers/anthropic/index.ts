import { stringAt, type JsonObject } from '../../tokens/json.ts';
import { patchApiClient } from '../api-client.ts';
import type { SdkPatch } from '../sdk-patch.ts';
import { anthropicBatchLine } from './batch-line.ts';
import { messages } from './messages.ts';

/**
 * The client class and those of other platforms, which inherit from its base and import it by a path of its
 * own: any of them may be the first to be loaded.
 */
function clientOf(moduleName: string): SdkPatch {
  return {
    moduleName,
    entries: [{ name: 'client', file: 'client.js' }],
    testedMajors: [0, 1],
    patch: (moduleExports, meter) =>
      patchApiClient(
        moduleExports,
        {
          provider: (host, client) => platformOf(host, client),
          shape: (path) => (path.endsWith('/v1/messages') ? messages : undefined),
          batch: {
            idOf: (path) => /\/messages\/batches\/([^/]+)\/results$/.exec(path)?.[1],
            resultOf: anthropicBatchLine,
          },
          conversationId: ({ openTelemetry }) => stringAt(openTelemetry, 'conversationId'),
        },
        meter,
      ),
  };
}

/** From 1.0 on a client names its platform itself, for spans of its own. */
function platformOf(host: string, client: JsonObject): string {
  const named = stringAt(client, '_genAIProviderName');
  if (named !== undefined) return named;
  if (host.includes('bedrock')) return 'aws.bedrock';
  return host.endsWith('aiplatform.googleapis.com') ? 'gcp.vertex_ai' : 'anthropic';
}

export const anthropic: SdkPatch = clientOf('@anthropic-ai/sdk');

export const anthropicPlatforms: readonly SdkPatch[] = [
  clientOf('@anthropic-ai/bedrock-sdk'),
  clientOf('@anthropic-ai/vertex-sdk'),
  clientOf('@anthropic-ai/foundry-sdk'),
];
