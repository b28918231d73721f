import { isObject, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';

/** The part of the SDK's spans that is used here; those of disabled tracing have the data alone. */
export interface SdkSpan {
  readonly spanData?: unknown;
  readonly spanId?: unknown;
  readonly parentId?: unknown;
  readonly previousSpan?: unknown;
  readonly error?: unknown;
}

const STORAGE = Symbol.for('openai.agents.core.asyncLocalStorage');

/** The span that the SDK is in, from the storage that all its copies share. */
export function currentSdkSpan(): SdkSpan | undefined {
  const storage = (globalThis as { readonly [STORAGE]?: { getStore?(): unknown } })[STORAGE];
  const store = storage?.getStore?.();
  if (!isObject(store) || store['active'] !== true) return undefined;
  return objectAt(store, 'span') as SdkSpan | undefined;
}

interface StepOfSpan {
  readonly kind: 'agent' | 'tool';
  readonly name: string;
  readonly data: JsonObject;
}

/** Undefined for spans that are no step: turns, replies, handoffs, guardrails. */
export function stepOfSpan({ spanData: data }: SdkSpan): StepOfSpan | undefined {
  if (!isObject(data)) return undefined;
  const type = data['type'];
  const name = stringAt(data, 'name');
  if (name === undefined || (type !== 'agent' && type !== 'function')) return undefined;
  return { kind: type === 'agent' ? 'agent' : 'tool', name, data };
}
