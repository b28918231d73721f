import { quietly } from '../../host/quietly.ts';
import { ownerOf } from '../patching.ts';

/** Methods of a provider that make a model; those of older and newer specifications. */
const FACTORIES = [
  'languageModel',
  'chat',
  'chatModel',
  'responses',
  'completion',
  'completionModel',
  'messages',
  'embedding',
  'embeddingModel',
  'textEmbeddingModel',
];

const MODEL_METHODS = ['doGenerate', 'doStream', 'doEmbed'] as const;

export type ModelMethod = (typeof MODEL_METHODS)[number];

/**
 * The prototypes that own a model method, for each method. Most packages export a ready provider whose
 * models can be made without a key and without a connection; some export the classes too.
 */
export function modelPrototypes(moduleExports: unknown): Map<ModelMethod, Set<object>> {
  const found = new Map(MODEL_METHODS.map((name) => [name, new Set<object>()]));
  const note = (model: unknown): void => {
    for (const name of MODEL_METHODS) {
      const owner = ownerOf(model, name);
      // Own methods of one object (a mock, a wrapped model) are nobody else's.
      if (owner !== undefined && owner !== model) found.get(name)?.add(owner);
      else if (owner === model && isPrototype(model)) found.get(name)?.add(owner as object);
    }
  };
  for (const exported of exportsOf(moduleExports)) {
    if (typeof exported !== 'function' && !isProvider(exported)) continue;
    if (typeof exported === 'function') note(exported.prototype);
    for (const factory of FACTORIES) {
      const make = (exported as unknown as Record<string, unknown>)[factory];
      if (typeof make !== 'function') continue;
      note(quietly('reading an AI SDK provider', () => make.call(exported, 'unused') as unknown));
    }
  }
  return found;
}

function exportsOf(moduleExports: unknown): readonly unknown[] {
  if (typeof moduleExports !== 'object' || moduleExports === null) return [];
  return Object.keys(moduleExports).map((key) =>
    quietly('reading an AI SDK provider', () => (moduleExports as Record<string, unknown>)[key]),
  );
}

function isProvider(exported: unknown): exported is object {
  return typeof exported === 'object' && exported !== null && 'languageModel' in exported;
}

function isPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'constructor');
}
