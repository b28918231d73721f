/** Models that answer in batches are younger. */
const FIRST_MS = Date.parse('2024-01-01');

/** Milliseconds of a time that a result names: seconds since 1970, or RFC 3339. */
export function madeAt(time: unknown, nowMs: number = Date.now()): number | undefined {
  const ms = typeof time === 'number' ? time * 1000 : Date.parse(String(time));
  return ms >= FIRST_MS && ms <= nowMs ? ms : undefined;
}
