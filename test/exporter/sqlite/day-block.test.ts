import assert from 'node:assert/strict';
import {
  type DayRow,
  DayBlockReader,
  encodeDayBlock,
  textAt,
} from '../../../exporter/sqlite/day-block.ts';
import { SUMS } from '../../../exporter/sqlite/sums.ts';
import { newTally, type UsageSums } from '../../../exporter/ledger/queries/usage-sums.ts';
import { randomOf } from '../../support/usage-ledger.ts';

const NONE = newTally(false).sums;
const SUM_NAMES = SUMS.map(({ name }) => name);
const noneOf = (name: keyof UsageSums): number | null => NONE[name] ?? null;

/** The rows that were encoded, with what a row without calls has where a column is left out. */
function rowsOf(bytes: Uint8Array): readonly DayRow[] {
  const { keys, teams, outcomes, columns } = new DayBlockReader().read(bytes);
  return [...keys.places.keys()].map((row) => ({
    key: textAt(keys, row),
    team: textAt(teams, row),
    outcome: textAt(outcomes, row),
    sums: SUM_NAMES.map((name) => {
      const column = columns.get(name);
      const value = column === undefined ? noneOf(name) : (column[row] ?? null);
      return Number.isNaN(value) ? null : value;
    }),
  }));
}

describe('sums of a day as one value', () => {
  it('have every number, text and null as it was, at any width', () => {
    const random = randomOf(11);
    for (const largest of [1, 254, 255, 256, 65_534, 65_535, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 53]) {
      for (const count of [1, 2, 300]) {
        const rows = Array.from({ length: count }, (_, row): DayRow => ({
          key: random() < 0.1 ? null : `k${row} "用户" \u0000\n😀`,
          team: random() < 0.5 ? null : `t${Math.floor(random() * 3)}`,
          outcome: random() < 0.9 ? 'ok' : 'error',
          sums: SUM_NAMES.map((name) => {
            if (noneOf(name) === null && random() < 0.3) return null;
            if (name.endsWith('Ms')) return random() * largest;
            return row === 0 ? largest : Math.floor(random() * largest);
          }),
        }));
        assert.deepEqual(rowsOf(encodeDayBlock(rows)), rows);
      }
    }
  });

  it('tell zero from unknown where no row has another value', () => {
    const row = (tokens: number | null): DayRow => ({
      key: 'a',
      team: null,
      outcome: 'ok',
      sums: SUM_NAMES.map((name) => (noneOf(name) === null ? tokens : 0)),
    });
    for (const rows of [[], [row(0), row(0)], [row(null), row(null)], [row(0), row(null)]]) {
      assert.deepEqual(rowsOf(encodeDayBlock(rows)), rows);
    }
  });

  it('are read from any place in memory', () => {
    const sums = SUM_NAMES.map(() => 1.5);
    const bytes = encodeDayBlock([{ key: 'a', team: null, outcome: 'ok', sums }]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    assert.deepEqual(rowsOf(shifted.subarray(1)), rowsOf(bytes));
  });
});
