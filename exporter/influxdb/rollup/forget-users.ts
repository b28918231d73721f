import type { StoredTable } from '../../ledger/queries/usage-table.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { erasedBy, type IsErased, withoutErased } from './erasure-notes.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { packTable } from './packed-table.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { DAY_MS, DAYS_MEASUREMENT, HOURS_MEASUREMENT, tableFields } from './roll-up-schema.ts';
import { erasuresIn, type Marks, type RollUpState, unknownErasures } from './roll-up-state.ts';
import type { RollUpWriter } from './roll-up-writer.ts';

export interface Forgetting {
  readonly clients: LedgerClients;
  readonly writer: RollUpWriter;
  readonly range: TimeRange;
  /** Those of the range whose calls are gone. */
  readonly hours: ReadonlyMap<number, RollUpState>;
  readonly marks: Marks;
  /** Besides those that are noted in marks. */
  readonly userId?: string;
  readonly nowMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Writes the tables of users of hours whose calls are gone again without the names of erased ones, and those of their
 * days: the tokens stay, as those of no user. A day that is kept in part is made again of its hours.
 */
export async function forgetUsers(forgetting: Forgetting): Promise<void> {
  const { clients, writer, range, hours, marks, userId, nowMs, signal } = forgetting;
  const points = new RollUpPoints(clients, signal);
  const ofDays = new Map<number, IsErased>();
  const lines: string[] = [];
  for await (const [hour, [table]] of points.tables('hour', range, ['users'])) {
    const state = hours.get(hour);
    if (state === undefined) continue;
    const notes = unknownErasures(state, marks.get(hour));
    const isNoted = erasedBy(notes);
    const isErased: IsErased = (user) => user === userId || isNoted(user);
    const day = Math.floor(hour / DAY_MS) * DAY_MS;
    const before = ofDays.get(day);
    ofDays.set(day, (user) => isErased(user) || before?.(user) === true);
    const changed = changedFields(table, isErased);
    if (changed === undefined && notes.length === 0) continue;
    const erasures = erasuresIn(marks.get(hour) ?? []).length;
    const known = state.marks + erasures - state.erasures;
    const fields = `${changed ?? ''}erasures=${erasures}i,marks=${known}i,revision=${nowMs}i`;
    lines.push(`${clients.place.series(HOURS_MEASUREMENT)} ${fields} ${nanosecondsOf(hour)}\n`);
  }
  for await (const [day, [table]] of points.tables('day', range, ['users'])) {
    const changed = changedFields(table, ofDays.get(day) ?? (() => false));
    if (changed === undefined) continue;
    const fields = `${changed}revision=${nowMs}i`;
    lines.push(`${clients.place.series(DAYS_MEASUREMENT)} ${fields} ${nanosecondsOf(day)}\n`);
  }
  await writer.write(lines);
}

/** Undefined where none of them is in the table. */
function changedFields(stored: unknown, isErased: IsErased): string | undefined {
  if (stored === undefined) return undefined;
  const table = stored as StoredTable;
  const changed = withoutErased(table, isErased);
  return changed === table ? undefined : `${tableFields('users', packTable(changed))},`;
}

const nanosecondsOf = (ms: number): bigint => BigInt(ms) * 1_000_000n;
