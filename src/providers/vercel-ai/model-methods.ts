import type { CallShape } from '../../domain/call-shape.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { PatchOutcome } from '../sdk-patch.ts';
import { embed } from './embedding-model.ts';
import { generate, stream } from './language-model.ts';
import { mediaShape } from './media-model.ts';
import { rerank } from './reranking-model.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- methods of models whose types we never import
type ModelMethod = (this: any, options: unknown) => PromiseLike<unknown>;

type ShapeOf = (options: unknown) => CallShape;

export type Meter = (original: ModelMethod, shapeOf: ShapeOf) => ModelMethod;

/**
 * Patches the methods of a model where its class has them. A language model has both `doGenerate` and
 * `doStream`; those of images, speech and transcription have the first alone. `unfit`: it is no model.
 */
export function patchModel(model: unknown, meter: Meter): PatchOutcome {
  let outcome: PatchOutcome = 'unfit';
  for (const [name, shapeOf] of shapesOf(model)) {
    const owner = ownerOf(model, name);
    // Own methods of one object (a mock, a wrapped model) are nobody else's.
    if (owner === undefined || (owner === model && !isPrototype(model))) continue;
    if (!isPatched(owner, name)) {
      replaceMethod<ModelMethod>(owner, name, (original) => meter(original, shapeOf));
      outcome = 'patched';
    } else if (outcome === 'unfit') outcome = 'already-patched';
  }
  return outcome;
}

function shapesOf(model: unknown): readonly (readonly [name: string, shapeOf: ShapeOf])[] {
  const has = (name: string): boolean => ownerOf(model, name) !== undefined;
  if (has('doGenerate')) {
    return has('doStream')
      ? [
          ['doGenerate', () => generate],
          ['doStream', () => stream],
        ]
      : [['doGenerate', mediaShape]];
  }
  if (has('doEmbed')) return [['doEmbed', () => embed]];
  return has('doRerank') ? [['doRerank', () => rerank]] : [];
}

function isPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'constructor');
}
