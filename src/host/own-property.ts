/**
 * Gives an object of an SDK a property in front of what its class has: writable, deletable, and not
 * enumerated. False where the object refuses it (frozen, sealed).
 */
export function setOwn(target: object, key: PropertyKey, value: unknown): boolean {
  return Reflect.defineProperty(target, key, {
    configurable: true,
    enumerable: Object.getOwnPropertyDescriptor(target, key)?.enumerable ?? false,
    writable: true,
    value,
  });
}
