import assert from 'node:assert/strict';
import { remainder } from '../../../exporter/clickhouse/read/remainder.ts';
import { newTally, type UsageSums } from '../../../exporter/ledger/queries/usage-sums.ts';

const sums = (some: Partial<UsageSums>): UsageSums => ({ ...newTally(false).sums, ...some });
const left = (total: Partial<UsageSums>, ...parts: Partial<UsageSums>[]): UsageSums | undefined =>
  remainder(
    sums(total),
    parts.map((part) => ({ sums: sums(part), latencies: undefined })),
  );

describe('what a total has beside its parts', () => {
  it('is the difference of each sum, and unknown where the total is', () => {
    const rest = left(
      { calls: 9, errors: 2, inputTokens: 500, durationMs: 90.5, generatedImages: 4 },
      { calls: 3, errors: 2, inputTokens: 100, durationMs: 30.5, generatedImages: 4 },
      { calls: 1, inputTokens: null, durationMs: 10 },
    );
    assert.deepEqual(rest, sums({ calls: 5, errors: 0, inputTokens: 400, durationMs: 50 }));
  });

  it('is nothing where the parts have all calls', () => {
    const all = { calls: 2, inputTokens: 7, durationMs: 0.1 + 0.2 };
    assert.deepEqual(left(all, { ...all, durationMs: 0.3 }), sums({}));
  });

  it('is not told by a difference of 0, which may be a known 0 or unknown', () => {
    assert.equal(left({ calls: 2, inputTokens: 7 }, { calls: 1, inputTokens: 7 }), undefined);
    assert.equal(left({ calls: 2, costNanos: 0 }, { calls: 1 }), undefined);
  });

  it('is not told by small differences of fractions, nor by parts with more than the total', () => {
    const total = { calls: 2, durationMs: 1e9 };
    assert.equal(left(total, { calls: 1, durationMs: 1e9 - 1 }), undefined);
    assert.equal(left({ calls: 2 }, { calls: 3 }), undefined);
    assert.equal(left({ calls: 3, errors: 1 }, { calls: 2, errors: 2 }), undefined);
  });
});
