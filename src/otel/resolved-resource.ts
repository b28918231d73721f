/** The part of an SDK resource used here. A resource from elsewhere may have only attributes. */
export interface ResourceLike {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly asyncAttributesPending?: boolean | undefined;
  getRawAttributes?(): readonly (readonly [string, unknown])[];
}

/**
 * Attributes of a resource that are resolved by now. Reading `attributes` while detectors are
 * running makes the SDK log an error, so pending attributes are left out. Name and environment of a
 * service are never pending.
 */
export function resolvedAttributes(resource: ResourceLike): Readonly<Record<string, unknown>> {
  if (resource.asyncAttributesPending !== true) return resource.attributes;
  const attributes: Record<string, unknown> = {};
  for (const [key, value] of resource.getRawAttributes?.() ?? []) {
    // The first attribute of a name wins, as in the SDK.
    if (value !== undefined && value !== null && !isPending(value)) attributes[key] ??= value;
  }
  return attributes;
}

function isPending(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}
