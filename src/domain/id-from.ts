/** The id of a user, conversation, model or reply. Callers in JavaScript pass numbers too; anything else is none. */
export function idFrom(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
