import type { Dimension } from '../../ledger/queries/checked-query.ts';
import { binOf } from '../../ledger/queries/quantile-sketch.ts';
import { addSums } from '../../ledger/queries/usage-sums.ts';
import {
  type StoredSketches,
  type StoredTable,
  UsageTable,
} from '../../ledger/queries/usage-table.ts';
import type { ScannedCall } from '../read/call-scan.ts';
import { packTable } from './packed-table.ts';
import { ROLL_UP_VERSION, tableFields, TABLES, type TableName } from './roll-up-schema.ts';
import type { RollUpState } from './roll-up-state.ts';

/** Keys of the tables with few rows, besides the dimensions of the configuration. */
export const FEW = ['service', 'provider', 'model', 'outcome', 'team'] as const;
export const USERS = ['user', 'team'] as const;
export const CONVERSATIONS = ['conversation', 'team'] as const;

/** Packed tables of an hour or a day. */
export type PackedTables = Readonly<Record<TableName, string>>;

/** Sums of an hour or a day while they are made. */
export class RollUpTables {
  /** Keys of the calls that are added. */
  readonly dimensions: readonly Dimension[];
  readonly #cells: UsageTable;
  readonly #users = new UsageTable(USERS, { percentiles: false });
  readonly #conversations = new UsageTable(CONVERSATIONS, { percentiles: false });
  #calls = 0;

  /** `dimensions` of the configuration that calls have. */
  constructor(dimensions: readonly Dimension[]) {
    const few = [...FEW, ...dimensions];
    this.dimensions = ['user', 'conversation', ...few];
    this.#cells = new UsageTable(few, { percentiles: true });
  }

  get calls(): number {
    return this.#calls;
  }

  /** A call with the key `dimensions`. */
  addCall({ key, sums }: ScannedCall): void {
    const [user = null, conversation = null, ...few] = key;
    const team = few[FEW.indexOf('team')] ?? null;
    this.#calls += sums.calls;
    const cell = this.#cells.tally(few);
    addSums(cell.sums, sums);
    // A result of a batch took a time that nobody knows.
    if (sums.durationMs > 0) cell.latencies?.duration.addBin(binOf(sums.durationMs), 1);
    if (sums.firstChunkCalls > 0) cell.latencies?.firstChunk.addBin(binOf(sums.firstChunkMs), 1);
    addSums(this.#users.tally([user, team]).sums, sums);
    addSums(this.#conversations.tally([conversation, team]).sums, sums);
  }

  /** Adds the tables of an hour; false when one of them is missing. */
  addHour(tables: readonly unknown[]): boolean {
    const [cells, sketches, users, conversations] = tables as [
      StoredTable?,
      StoredSketches?,
      StoredTable?,
      StoredTable?,
    ];
    if (!cells || !sketches || !users || !conversations) return false;
    this.#cells.add(cells, sketches);
    this.#users.add(users);
    this.#conversations.add(conversations);
    this.#calls += (cells.sums.calls ?? []).reduce<number>((sum, calls) => sum + (calls ?? 0), 0);
    return true;
  }

  packed(): PackedTables {
    const { table: cells, sketches } = this.#cells.stored();
    return {
      cells: packTable(cells),
      sketches: packTable(sketches),
      users: packTable(this.#users.stored().table),
      conversations: packTable(this.#conversations.stored().table),
    };
  }
}

/** The line of a roll-up. `series`: measurement and tags. */
export function rollUpLine(
  series: string,
  startMs: number,
  { marks, calls, erasures }: Pick<RollUpState, 'marks' | 'calls' | 'erasures'>,
  tables: PackedTables,
): string {
  const fields = TABLES.map((table) => tableFields(table, tables[table])).join(',');
  const own = `version=${ROLL_UP_VERSION}i,marks=${marks}i,calls=${calls}i,erasures=${erasures}i`;
  return `${series} ${own},${fields} ${BigInt(startMs) * 1_000_000n}\n`;
}
