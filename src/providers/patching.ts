/** Marks functions of ours, across copies of this package in one process. */
const PATCHED = Symbol.for('otel-token-meter.patched');

// oxlint-disable-next-line typescript/no-explicit-any -- functions of SDKs whose types we never import
type AnyFunction = (this: any, ...args: any[]) => any;

export function isPatched(owner: object, name: string): boolean {
  const value = (owner as Record<string, unknown>)[name];
  return typeof value === 'function' && PATCHED in value;
}

/**
 * Replaces a method in place, keeping its descriptor, name and length. By hand and not by shimmer: that
 * removes the wrapper of another instrumentation on the same method.
 */
export function replaceMethod<F extends AnyFunction>(
  owner: object,
  name: string,
  wrap: (original: F) => F,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name);
  const original = descriptor?.value as F;
  const replacement = wrap(original);
  Object.defineProperties(replacement, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
    [PATCHED]: { value: true },
  });
  Object.defineProperty(owner, name, { ...descriptor, value: replacement });
}

/** The nearest object in the chain of `start` that has `name` as an own method. */
export function ownerOf(start: unknown, name: string): object | undefined {
  return ownersOf(start, name).next().value ?? undefined;
}

/** All of them, the nearest first. */
export function* ownersOf(start: unknown, name: string): Generator<object, undefined> {
  let owner = typeof start === 'object' ? start : undefined;
  while (owner !== undefined && owner !== null) {
    const value = Object.getOwnPropertyDescriptor(owner, name)?.value as unknown;
    if (typeof value === 'function') yield owner;
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return undefined;
}

/** Prototype with this own method, of a class that a module exports or that was passed by itself. */
export function exportedOwner(moduleExports: unknown, name: string): object | undefined {
  // A module may itself be a function, with its exports on it.
  const exported = Object.values((moduleExports ?? {}) as Record<string, unknown>);
  for (const candidate of [moduleExports, ...exported]) {
    const owner = typeof candidate === 'function' ? ownerOf(candidate.prototype, name) : undefined;
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/** Prototype of the class that a module exports under one of `names`, or as its default. */
export function exportedPrototype(moduleExports: unknown, names: readonly string[]): unknown {
  const exported = moduleExports as Record<string, unknown> | null | undefined;
  for (const name of [...names, 'default']) {
    const candidate = exported?.[name];
    if (typeof candidate === 'function') return candidate.prototype as unknown;
  }
  return typeof moduleExports === 'function' ? (moduleExports.prototype as unknown) : undefined;
}
