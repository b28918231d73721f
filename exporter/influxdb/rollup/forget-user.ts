import { type StoredTable, UsageTable } from '../../ledger/queries/usage-table.ts';
import { USERS } from './hour-tables.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { packTable } from './packed-table.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { comparedHours, storedKeptCalls } from './kept-calls.ts';
import { slices } from '../read/time-ranges.ts';
import { DAY_MS, DAYS_MEASUREMENT, HOURS_MEASUREMENT, tableFields } from './roll-up-schema.ts';
import type { RollUpWriter } from './roll-up-writer.ts';

const WEEK_MS = 7 * DAY_MS;

export interface Forgetting {
  readonly clients: LedgerClients;
  readonly writer: RollUpWriter;
  readonly userId: string;
  /** Roll-ups before it are not made of their calls any more. */
  readonly keptFromMs: number;
  readonly nowMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Writes tables of users again, without the name of one. */
export async function forgetInRollUps(forgetting: Forgetting): Promise<void> {
  const { clients, writer, userId, keptFromMs, nowMs, signal } = forgetting;
  const points = new RollUpPoints(clients, signal);
  const kept = await storedKeptCalls(clients, nowMs, signal);
  if (kept === undefined) return;
  const fromMs = Math.floor(kept.firstMs / DAY_MS) * DAY_MS;
  for (const week of slices({ fromMs, toMs: nowMs }, WEEK_MS)) {
    const { hours, short } = await comparedHours(clients, week, signal);
    const gone = [...hours.keys()].filter((hour) => hour < keptFromMs || short.has(hour));
    if (gone.length === 0) continue;
    // A day may be kept in part. It is made again of its hours, so it is right where it has calls of the user.
    const starts = {
      hour: new Set(gone),
      day: new Set(gone.map((hour) => Math.floor(hour / DAY_MS) * DAY_MS)),
    };
    const lines: string[] = [];
    for (const unit of ['hour', 'day'] as const) {
      const measurement = unit === 'hour' ? HOURS_MEASUREMENT : DAYS_MEASUREMENT;
      for await (const [start, [table]] of points.tables(unit, week, ['users'])) {
        if (!starts[unit].has(start)) continue;
        const changed = withoutUser(table as StoredTable | undefined, userId);
        if (changed === undefined) continue;
        const fields = `${tableFields('users', packTable(changed))},revision=${nowMs}i`;
        const time = BigInt(start) * 1_000_000n;
        lines.push(`${clients.place.series(measurement)} ${fields} ${time}\n`);
      }
    }
    await writer.write(lines);
  }
}

/** Undefined where the user is not in the table. */
function withoutUser(table: StoredTable | undefined, userId: string): StoredTable | undefined {
  const place = table?.names.indexOf('user') ?? -1;
  if (table === undefined || !table.keys.some((key) => key[place] === userId)) return undefined;
  const keys = table.keys.map((key) =>
    key.map((value, index) => (index === place && value === userId ? null : value)),
  );
  const changed = new UsageTable(USERS, { percentiles: false });
  changed.add({ ...table, keys });
  return changed.stored().table;
}
