/**
 * Defines an own property on an SDK object, which shadows the one of its class. It is writable and
 * configurable, and does not show when the object's keys are listed.
 */
export function setOwn(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, {
    configurable: true,
    enumerable: false,
    writable: true,
    value,
  });
}
