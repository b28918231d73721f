import { exportedOwner, isPatched } from '../patching.ts';
import { patchFernMethods, type FernMethods } from '../fern-client.ts';
import type { MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { contextualizedEmbed, embed, multimodalEmbed, rerank } from './shapes.ts';

const METHODS: FernMethods = {
  __embed: embed,
  __contextualizedEmbed: contextualizedEmbed,
  __multimodalEmbed: multimodalEmbed,
  __rerank: rerank,
};

/** The exported client extends the generated one, which has the methods; models that run locally pass them by. */
export const voyage: SdkPatch = {
  moduleName: 'voyageai',
  testedMajors: [0, 0],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const owner = exportedOwner(moduleExports, '__embed');
    if (owner === undefined) return 'unfit';
    if (isPatched(owner, '__embed')) return 'already-patched';
    const refusal = refusalOf(moduleExports);
    patchFernMethods(owner, METHODS, { provider: 'voyageai', meter, refusal });
    return 'patched';
  },
};

function refusalOf(moduleExports: unknown): MakeRefusal {
  const { VoyageAIError } = moduleExports as {
    readonly VoyageAIError?: new (options: object) => Error;
  };
  return ({ message, status, body }) =>
    VoyageAIError && new VoyageAIError({ message, statusCode: status, body });
}
