/** Answers kept; whoever makes up names without end gets the rest of them worked out each time. */
const REMEMBERED_MAX = 100;

/** `of`, worked out once a text: for what is asked anew at every call and is nearly always the same. */
export function remembered<T extends NonNullable<unknown>>(
  of: (text: string) => T,
): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const hit = known.get(text);
    if (hit !== undefined) return hit;
    const answer = of(text);
    if (known.size < REMEMBERED_MAX) known.set(text, answer);
    return answer;
  };
}
