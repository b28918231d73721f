import assert from 'node:assert/strict';
import { addSums, newTally, SUM_KEYS } from '../../../../exporter/ledger/queries/usage-sums.ts';

describe('addSums', () => {
  it('adds every member, and leaves unknown what no call knows', () => {
    for (const key of SUM_KEYS) {
      const { sums } = newTally(false);
      addSums(sums, { [key]: 3 });
      addSums(sums, { ...newTally(false).sums, [key]: 4 });
      assert.deepEqual(sums, { ...newTally(false).sums, [key]: 7 }, key);
    }
  });
});
