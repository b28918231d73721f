/** A resource of the SDK, as far as it is read; of other origin it may be no more than its attributes. */
export interface ResourceLike {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly asyncAttributesPending?: boolean | undefined;
  getRawAttributes?(): readonly (readonly [string, unknown])[];
}

/**
 * What a resource says by now. To read `attributes` while detectors still ask the host makes the SDK
 * log an error, so what is pending is left out: name and environment of a service never are.
 */
export function settledAttributes(resource: ResourceLike): Readonly<Record<string, unknown>> {
  if (resource.asyncAttributesPending !== true) return resource.attributes;
  const attributes: Record<string, unknown> = {};
  for (const [key, value] of resource.getRawAttributes?.() ?? []) {
    // The first of a name wins, as in the SDK.
    if (value !== undefined && value !== null && !isPending(value)) attributes[key] ??= value;
  }
  return attributes;
}

function isPending(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}
