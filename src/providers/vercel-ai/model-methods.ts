import type { CallShape } from '../../domain/call-shape.ts';
import { fields } from '../../tokens/json.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { PatchOutcome } from '../sdk-patch.ts';
import { embed } from './embedding-model.ts';
import { generate, stream } from './language-model.ts';
import { mediaShape, streamedMediaShape } from './media-model.ts';
import { rerank } from './reranking-model.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- methods of models whose types we never import
type ModelMethod = (this: any, options: unknown) => PromiseLike<unknown>;

type ShapeOf = (options: unknown) => CallShape;

export type Meter = (original: ModelMethod, shapeOf: ShapeOf) => ModelMethod;

/**
 * Patches the methods of a model where its class has them. A language model has both `doGenerate` and
 * `doStream`, as some of speech and transcription have; others have the first alone. `unfit`: it is no model.
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
          ['doGenerate', (options) => (isPrompt(options) ? generate : mediaShape(options))],
          ['doStream', (options) => (isPrompt(options) ? stream : streamedMediaShape(options))],
        ]
      : [['doGenerate', mediaShape]];
  }
  if (has('doEmbed')) return [['doEmbed', () => embed]];
  return has('doRerank') ? [['doRerank', () => rerank]] : [];
}

/** Options of a language model; newer models of transcription and speech have `doStream` as well. */
function isPrompt(options: unknown): boolean {
  const { prompt, audio, text } = fields(options);
  return prompt !== undefined || (audio === undefined && text === undefined);
}

function isPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'constructor');
}
