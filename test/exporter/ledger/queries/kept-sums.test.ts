import assert from 'node:assert/strict';
import { Cells, NamedKeys } from '../../../../exporter/ledger/queries/cells.ts';
import { type Key } from '../../../../exporter/ledger/queries/key.ts';
import {
  type CheckedQuery,
  checkQuery,
} from '../../../../exporter/ledger/queries/checked-query.ts';
import { KeptCells } from '../../../../exporter/ledger/queries/kept-cells.ts';
import { KeptSums } from '../../../../exporter/ledger/queries/kept-sums.ts';
import { SumsCache } from '../../../../exporter/ledger/queries/sums-cache.ts';
import { addSums } from '../../../../exporter/ledger/queries/usage-sums.ts';
import { randomOf } from '../../../support/usage-ledger.ts';

type Values = readonly (readonly [key: string | null, tokens: number | null])[];

describe('kept sums', () => {
  const queryOf = async (limit: number, order: 'asc' | 'desc' = 'desc'): Promise<CheckedQuery> =>
    await checkQuery({ from: new Date(0), to: new Date(1), groupBy: ['user'], limit, order });

  function cellsOf(query: CheckedQuery, values: Values): KeptCells {
    const cells = new KeptCells(query, { maxCells: 10_000 });
    for (const [key, totalTokens] of values) {
      addSums(cells.tally([key], undefined).sums, { calls: 1, totalTokens });
    }
    return cells;
  }

  it('have the first keys of what was kept and what came since', async () => {
    const random = randomOf(7);
    const some = (count: number): Values =>
      Array.from({ length: count }, () => [
        random() < 0.02 ? null : `u${Math.floor(random() * 300)}`,
        random() < 0.2 ? null : Math.floor(random() * 50),
      ]);
    for (const [limit, order] of [
      [1, 'desc'],
      [5, 'asc'],
      [40, 'desc'],
      [1000, 'asc'],
    ] as const) {
      const query = await queryOf(limit, order);
      const [before, since] = [some(900), some(60)];
      const kept = new KeptSums(cellsOf(query, before));
      const all = new KeptSums(cellsOf(query, [...before, ...since]));
      const none = cellsOf(query, []);
      const first = kept.first(query, cellsOf(query, since));
      assert.deepEqual(first, all.first(query, none));
      assert.deepEqual(
        first.slice(0, 3),
        naiveFirst([...before, ...since], order).slice(0, Math.min(3, limit)),
      );
    }
  });

  it('keep what no call had unknown', async () => {
    const query = await queryOf(20);
    const kept = new KeptSums(
      cellsOf(query, [
        ['a', null],
        ['b', 3],
        ['c', null],
      ]),
    );
    const cells = new Cells(query, { named: new NamedKeys([['a'], ['b'], ['d']]) });
    kept.addTo(cells);
    const tokens = [...cells].map(({ index, tally }) => [index, tally.sums.totalTokens]);
    assert.deepEqual(
      new Map(tokens as [number, number | null][]),
      new Map([
        [-1, null],
        [0, null],
        [1, 3],
      ]),
    );
  });

  it('make room for one another, and are made once', async () => {
    const query = await queryOf(20);
    const cache = new SumsCache(100);
    let made = 0;
    const ask = async (key: string): Promise<unknown> =>
      await cache.get(
        key,
        async () => {
          made++;
          return await Promise.resolve(new KeptSums(cellsOf(query, [['a', 1]])));
        },
        undefined,
      );
    await Promise.all([ask('1'), ask('1')]);
    assert.equal(made, 1);
    for (const key of ['2', '3', '4', '1']) await ask(key);
    assert.equal(made, 4);
    // Beyond the room, what was asked for least recently goes.
    await ask('5');
    await ask('1');
    assert.equal(made, 5);
    await ask('2');
    assert.equal(made, 6);
  });
});

function naiveFirst(values: Values, order: 'asc' | 'desc'): readonly Key[] {
  const sums = new Map<string | null, number | null>();
  for (const [key, value] of values) {
    const before = sums.get(key) ?? null;
    sums.set(key, value === null ? before : (before ?? 0) + value);
  }
  const sign = order === 'asc' ? 1 : -1;
  return [...sums]
    .toSorted(([a, x], [b, y]) => {
      if (x === y) return a === null ? 1 : b === null ? -1 : a < b ? -1 : 1;
      if (x === null || y === null) return x === null ? 1 : -1;
      return sign * (x - y);
    })
    .map(([key]) => [key]);
}
