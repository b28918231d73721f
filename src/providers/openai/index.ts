import { patchApiClient } from '../api-client.ts';
import { openaiBatchLine } from './batch-line.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { text, type JsonObject } from '../../tokens/json.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions, embeddings } from './completions.ts';
import { providerOfHost } from './hosts.ts';
import { images, transcription } from './media.ts';
import { decision, moderation } from './input-only.ts';
import { responses } from './responses.ts';
import { speech } from './speech.ts';
import { patchSocketClasses } from './sockets/socket-classes.ts';
import { usageObject } from './usage.ts';

const chat = chatCompletions({ usageOf: usageObject });

/** By ending: Azure puts `/deployments/NAME` before it. */
const SHAPES: readonly (readonly [ending: string, shape: CallShape])[] = [
  ['/chat/completions', chat],
  ['/responses', responses],
  ['/responses/compact', responses],
  ['/images/generations', images],
  ['/images/edits', images],
  ['/images/variations', images],
  ['/audio/transcriptions', transcription],
  ['/audio/translations', transcription],
  ['/audio/speech', speech],
  ['/moderations', moderation],
  ['/decisions', decision],
  ['/embeddings', embeddings],
  ['/completions', completions],
];

const ENTRIES = ['client', 'azure', 'bedrock', 'index'];
/** Realtime sessions and responses over sockets, which the package's own name does not lead to. */
const SOCKETS = [
  'realtime/ws',
  'realtime/websocket',
  'beta/realtime/ws',
  'beta/realtime/websocket',
  'resources/responses/ws',
  'resources/beta/responses/ws',
];

export const openai: SdkPatch = {
  moduleName: 'openai',
  testedMajors: [4, 7],
  entries: [...ENTRIES, ...SOCKETS].map((name) => ({ name, file: `${name}.js` })),
  patch: (moduleExports, meter) => {
    const sockets = patchSocketClasses(moduleExports, meter);
    const client = patchClient(moduleExports, meter);
    return client === 'unfit' ? sockets : client;
  },
};

function patchClient(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
  return patchApiClient(
    moduleExports,
    {
      provider: (host, client) => (isAzure(client) ? 'azure.ai.openai' : providerOfHost(host)),
      shape: (path) => SHAPES.find(([ending]) => path.endsWith(ending))?.[1],
      fetches: (path, method) =>
        (method === 'get' ? /\/responses\/([^/]+)$/ : /\/responses\/([^/]+)\/cancel$/).exec(
          path,
        )?.[1],
      batch: {
        idOf: (path) => /\/files\/([^/]+)\/content$/.exec(path)?.[1],
        describes: (path) => /\/batches(?:\/[^/]+)?$/.test(path),
        resultOf: openaiBatchLine,
      },
      model: (client) => (isAzure(client) ? text(client['deploymentName']) : undefined),
    },
    meter,
  );
}

/** `AzureOpenAI`, told by its own field: the class may come from either build. */
function isAzure(client: JsonObject): boolean {
  return Object.hasOwn(client, 'apiVersion');
}
