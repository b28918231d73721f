import { quietly } from '../../host/quietly.ts';
import { patchFernMethods, type FernMethods } from '../fern-client.ts';
import { isPatched, ownerOf } from '../patching.ts';
import type { MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { streamed } from '../streamed.ts';
import { chat, embed, legacyChat, legacyGenerate, parse, rerank } from './shapes.ts';

const V2: FernMethods = {
  __chat: chat,
  __chatStream: streamed(chat),
  __embed: embed,
  __rerank: rerank,
  __parse: parse,
};
const V1: FernMethods = {
  __chat: legacyChat,
  __chatStream: streamed(legacyChat),
  __generate: legacyGenerate,
  __generateStream: streamed(legacyGenerate),
  __summarize: legacyGenerate,
  __embed: embed,
  __rerank: rerank,
};

/**
 * Public methods are bound when a client is made; the private ones they call are looked up on the
 * prototype, so clients made earlier are metered too. `V2Client` is not exported: its prototype is
 * reached through a client made for this, which opens no connection.
 */
export const cohere: SdkPatch = {
  moduleName: 'cohere-ai',
  testedMajors: [7, 8],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const client = quietly('reading cohere-ai', () => probe(moduleExports));
    const v2 = ownerOf(client?.v2, '__chat');
    if (v2 === undefined) return 'unfit';
    if (isPatched(v2, '__chat')) return 'already-patched';
    const refusal = refusalOf(moduleExports);
    patchFernMethods(v2, V2, { provider: 'cohere', meter, refusal });
    const v1 = ownerOf(client, '__chat');
    if (v1 !== undefined) patchFernMethods(v1, V1, { provider: 'cohere', meter, refusal });
    return 'patched';
  },
};

function probe(moduleExports: unknown): { readonly v2?: unknown } | undefined {
  const { CohereClient } = (moduleExports ?? {}) as {
    CohereClient?: new (options: object) => { readonly v2?: unknown };
  };
  return typeof CohereClient === 'function' ? new CohereClient({ token: 'unused' }) : undefined;
}

function refusalOf(moduleExports: unknown): MakeRefusal {
  const { Cohere } = moduleExports as {
    readonly Cohere?: { readonly TooManyRequestsError?: new (body: unknown) => Error };
  };
  const TooManyRequests = Cohere?.TooManyRequestsError;
  return ({ message }) => TooManyRequests && new TooManyRequests({ message });
}
