/**
 * Gives an object of an SDK a property of its own, in front of what its class has. It can be written
 * and deleted again, and is not seen by whoever lists the object's keys.
 */
export function setOwn(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, {
    configurable: true,
    enumerable: false,
    writable: true,
    value,
  });
}
