const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHORTEST_MS = 5 * 60_000;
const LONGEST_MS = 366 * 86_400_000;

/** Milliseconds of `24h`; undefined where it is none from 5 minutes to 366 days. */
export function rollingMs(length: unknown): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(String(length)) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  return typeof length === 'string' && ms >= SHORTEST_MS && ms <= LONGEST_MS ? ms : undefined;
}
