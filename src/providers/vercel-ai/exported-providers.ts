import { quietly } from '../../host/quietly.ts';
import { withReplaced } from '../replaced-exports.ts';

/** Methods of a provider that make a model; those of older and newer specifications. */
const FACTORIES: ReadonlySet<PropertyKey> = new Set([
  'languageModel',
  'chat',
  'chatModel',
  'responses',
  'completion',
  'completionModel',
  'messages',
  'interactions',
  'embedding',
  'embeddingModel',
  'textEmbedding',
  'textEmbeddingModel',
  'image',
  'imageModel',
  'speech',
  'speechModel',
  'transcription',
  'transcriptionModel',
  'reranking',
  'rerankingModel',
  'video',
  'videoModel',
]);

type AnyFunction = (...args: unknown[]) => unknown;
type OnModel = (model: unknown) => void;

/** Every model, and every class of one, that can be had of what a module exports. */
export function exportedModels(moduleExports: unknown): readonly unknown[] {
  // Also a provider, or a class, passed by itself.
  return [moduleExports, ...valuesOf(moduleExports)].flatMap((exported) => [
    ...(typeof exported === 'function' ? [exported.prototype as unknown] : []),
    ...(isProvider(exported) ? modelsOf(exported) : []),
  ]);
}

/** One of each kind, made without a key and without a connection. */
function modelsOf(provider: object): readonly unknown[] {
  return [...FACTORIES].map((name) =>
    quietly('reading an AI SDK provider', () => {
      const make = (provider as Record<PropertyKey, unknown>)[name];
      return typeof make === 'function' ? (make.call(provider, 'unused') as unknown) : undefined;
    }),
  );
}

/**
 * What an import is to get: the same exports, with each provider and each `create…` replaced by one that
 * shows its models to `onModel` as they are made. Nothing is called before the application does.
 */
export function wrapProviders(moduleExports: unknown, onModel: OnModel): unknown {
  if (typeof moduleExports !== 'object' || moduleExports === null) return moduleExports;
  const replaced = new Map<string, unknown>();
  for (const key of Object.keys(moduleExports)) {
    quietly('reading an AI SDK provider', () => {
      const exported = (moduleExports as Record<string, unknown>)[key];
      if (typeof exported === 'function') onModel(exported.prototype);
      if (isProvider(exported)) replaced.set(key, wrapped(exported, onModel));
      else if (typeof exported === 'function' && isFactory(key)) {
        replaced.set(key, wrappedFactory(exported as AnyFunction, onModel));
      }
    });
  }
  return withReplaced(moduleExports, replaced);
}

const isFactory = (name: string): boolean => /^create[A-Z]/.test(name);

function wrappedFactory(create: AnyFunction, onModel: OnModel): AnyFunction {
  return new Proxy(create, {
    apply(target, self, args) {
      const made = Reflect.apply(target, self, args) as unknown;
      return isProvider(made) ? wrapped(made, onModel) : made;
    },
  });
}

/** A provider is a function with methods, or an object with them; calling it makes a model. */
function wrapped(provider: object, onModel: OnModel): object {
  const methods = new Map<PropertyKey, AnyFunction>();
  const shown = (make: AnyFunction): AnyFunction =>
    new Proxy(make, {
      apply(target, self, args) {
        const model = Reflect.apply(target, self === outside ? provider : self, args) as unknown;
        quietly('reading an AI SDK model', () => onModel(model));
        return model;
      },
    });
  const outside: object = new Proxy(provider, {
    apply(target, self, args) {
      const model = Reflect.apply(target as AnyFunction, self, args) as unknown;
      quietly('reading an AI SDK model', () => onModel(model));
      return model;
    },
    get(target, key) {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== 'function' || !FACTORIES.has(key) || isFixed(target, key)) return value;
      const known = methods.get(key);
      if (known !== undefined) return known;
      const method = shown(value as AnyFunction);
      methods.set(key, method);
      return method;
    },
  });
  return outside;
}

/** A proxy has to give what such a property holds. */
function isFixed(target: object, key: PropertyKey): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  return descriptor?.configurable === false && descriptor.writable !== true;
}

function isProvider(exported: unknown): exported is object {
  return (
    ((typeof exported === 'object' && exported !== null) || typeof exported === 'function') &&
    'languageModel' in exported
  );
}

function valuesOf(moduleExports: unknown): readonly unknown[] {
  if (typeof moduleExports !== 'object' || moduleExports === null) return [];
  return Object.keys(moduleExports).map((key) =>
    quietly('reading an AI SDK provider', () => (moduleExports as Record<string, unknown>)[key]),
  );
}
