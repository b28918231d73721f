/**
 * Defines a property on an SDK object that shadows the one of its class: writable, configurable,
 * and not listed among the object's keys. Returns false for frozen and sealed objects.
 */
export function setOwn(target: object, key: PropertyKey, value: unknown): boolean {
  return Reflect.defineProperty(target, key, {
    configurable: true,
    enumerable: Object.getOwnPropertyDescriptor(target, key)?.enumerable ?? false,
    writable: true,
    value,
  });
}
