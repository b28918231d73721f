/**
 * A request as it is now: the caller may append the answer to the same message list before it is
 * counted, so lists are copied (not what is in them).
 */
export function snapshot(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return request;
  if (Array.isArray(request)) return [...request];
  const copy: Record<string, unknown> = { ...request };
  for (const key in copy) {
    const value = copy[key];
    if (Array.isArray(value)) copy[key] = (value as unknown[]).slice();
  }
  return copy;
}
