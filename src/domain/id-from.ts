/**
 * Id of a user, conversation, model or reply. JavaScript callers also pass numbers; other types are
 * ignored.
 */
export function idFrom(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
