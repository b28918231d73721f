import assert from 'node:assert/strict';
import type { Key } from '../../../../exporter/ledger/queries/key.ts';
import { rankKeys } from '../../../../exporter/ledger/queries/ranking.ts';
import { randomOf } from '../../../support/usage-ledger.ts';

describe('rankKeys', () => {
  const random = randomOf(11);
  const calls = Array.from({ length: 5000 }, (_, index): readonly [Key, number | null] => [
    [`user-${Math.floor(random() ** 2 * 700)}`, index % 3 === 0 ? null : 'gpt-4o'],
    random() < 0.1 ? null : Math.floor(random() * 100),
  ]);
  let passes = 0;
  const rank = async (
    ascending: boolean,
    limit: number,
    maxKeys: number,
  ): Promise<readonly Key[]> =>
    await rankKeys(
      { ascending, limit },
      async (add) => {
        passes++;
        for (const [key, value] of calls) add(key, value);
        return await Promise.resolve();
      },
      maxKeys,
    );

  it('answers the same however few keys it may hold', async () => {
    for (const ascending of [true, false]) {
      passes = 0;
      const all = await rank(ascending, 20, 1_000_000);
      assert.equal(passes, 1);
      assert.equal(all.length, 20);
      assert.deepEqual(await rank(ascending, 20, 100), all);
      assert.ok(passes > 8);
    }
  });

  it('puts unknown last, and equal ones in the order of their keys', async () => {
    const tell = async (add: (key: Key, value: number | null) => void): Promise<void> => {
      add(['unknown'], null);
      add(['b'], 2);
      add(['a'], 1);
      add(['a'], 1);
      add([null], 2);
      add(['c'], 3);
      return await Promise.resolve();
    };
    const order = [['c'], ['a'], ['b'], [null], ['unknown']];
    assert.deepEqual(await rankKeys({ ascending: false, limit: 9 }, tell), order);
    assert.deepEqual(await rankKeys({ ascending: true, limit: 9 }, tell), [
      ['a'],
      ['b'],
      [null],
      ['c'],
      ['unknown'],
    ]);
  });
});
