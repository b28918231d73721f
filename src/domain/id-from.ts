/**
 * Id of a user, conversation, model or reply. JavaScript callers also pass numbers, and ids as their
 * database has them (ObjectId and UUID of BSON); other types are ignored.
 */
export function idFrom(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value === '' ? undefined : value;
  const { toHexString } = (value ?? {}) as { readonly toHexString?: unknown };
  if (typeof toHexString !== 'function') return undefined;
  const id: unknown = toHexString.call(value);
  return typeof id === 'string' && id !== '' ? id : undefined;
}
