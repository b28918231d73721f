/**
 * What is imported, with other exports under some names. An imported ES module is given to the hook as an object whose bindings can be set. Those of one that is loaded by
 * `require()` cannot, and CommonJS may have fixed getters.
 */
export function withReplaced(
  moduleExports: object,
  replaced: ReadonlyMap<string, unknown>,
): object {
  if (replaced.size === 0) return moduleExports;
  if ((moduleExports as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Module') {
    const isSet = [...replaced].map(([key, value]) => Reflect.set(moduleExports, key, value));
    if (isSet.every(Boolean)) return moduleExports;
  }
  const descriptors = Object.getOwnPropertyDescriptors(moduleExports) as PropertyDescriptorMap;
  for (const [key, value] of replaced) {
    descriptors[key] = { value, enumerable: true, configurable: true, writable: true };
  }
  return Object.create(Object.getPrototypeOf(moduleExports) as object, descriptors) as object;
}
