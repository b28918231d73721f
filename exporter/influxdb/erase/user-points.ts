import type { InfluxQueryClient } from '../read/query-client.ts';
import { BoundValues, LEDGER, name, timeRange } from '../read/influxql.ts';
import { OTHER_VALUES, USAGE_FIELDS, USER_TAG } from '../usage-schema.ts';

/** Points of one series that belong to a user. */
export interface UserPoints {
  /** Of the series; '' where it does not have one that others have. */
  readonly tags: Readonly<Record<string, string>>;
  /** Whether all of the series is the user's. */
  readonly isOwn: boolean;
  /** RFC 3339 with nanoseconds, oldest first. */
  readonly times: readonly string[];
  /** How many of them are calls. Others have the cost alone that was written beside an earlier erasure. */
  readonly calls: number;
}

/** What a user has made before `endMs`. */
export async function pointsOf(
  client: InfluxQueryClient,
  userId: string,
  endMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly UserPoints[]> {
  const shared = await points(
    client,
    userId,
    `${name(USER_TAG)} = '${OTHER_VALUES}' AND ${name(USAGE_FIELDS.user)} =`,
    endMs,
    signal,
  );
  // A user may have that very name.
  if (userId === OTHER_VALUES) return shared.map((series) => ({ ...series, isOwn: false }));
  const own = await points(client, userId, `${name(USER_TAG)} =`, endMs, signal);
  return [
    ...own.map((series) => ({ ...series, isOwn: true })),
    ...shared.map((series) => ({ ...series, isOwn: false })),
  ];
}

async function points(
  client: InfluxQueryClient,
  userId: string,
  condition: string,
  endMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly Omit<UserPoints, 'isOwn'>[]> {
  const bound = new BoundValues();
  const where = `${timeRange(0, endMs)} AND ${condition} ${bound.bind(userId)}`;
  const fields = [USAGE_FIELDS.calls, USAGE_FIELDS.costUsd].map(name).join(', ');
  const q = `SELECT ${fields} FROM ${LEDGER} WHERE ${where} GROUP BY *`;
  const series = new Map<
    string,
    { tags: Readonly<Record<string, string>>; times: string[]; calls: number }
  >();
  for await (const { tags, columns, values } of client.query(q, { bound, signal })) {
    const [timeAt, callsAt] = [columns.indexOf('time'), columns.indexOf(USAGE_FIELDS.calls)];
    const key = JSON.stringify(tags);
    const found = series.get(key) ?? { tags, times: [], calls: 0 };
    series.set(key, found);
    for (const row of values) {
      found.times.push(String(row[timeAt]));
      if (typeof row[callsAt] === 'number') found.calls++;
    }
  }
  return [...series.values()].map((found) => ({ ...found, times: found.times.toSorted() }));
}
