import assert from 'node:assert/strict';
import fc from 'fast-check';
import { projectDays, REQUIRED_DAYS } from '../../../../exporter/ledger/forecast/project-days.ts';
import { officeDays } from '../../../support/made-up-days.ts';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const amount = fc.double({ min: 0, max: 1e9, noNaN: true });

describe('projectDays', () => {
  /** How often the range held what came, and how far the projection was off. */
  const backtest = (historyDays: number): { coverage: number; error: number } => {
    const trials = Array.from({ length: 800 }, (_, seed) => {
      const horizon = 1 + (seed % 31);
      const days = officeDays(seed * 7 + historyDays, historyDays + horizon);
      const projection = projectDays(days.slice(0, historyDays), horizon);
      assert.ok(projection);
      const projected = sum(projection.days);
      const actual = sum(days.slice(historyDays));
      const isInside =
        actual >= projected * projection.lowFactor && actual <= projected * projection.highFactor;
      return { isInside, error: Math.abs(projected / actual - 1) };
    });
    return {
      coverage: trials.filter(({ isInside }) => isInside).length / trials.length,
      error: sum(trials.map(({ error }) => error)) / trials.length,
    };
  };

  it('has the truth in its range at least as often as it states, with any length of history', () => {
    for (const days of [14, 28, 56, 91, 182]) {
      const { coverage } = backtest(days);
      assert.ok(coverage >= 0.78, `${days} days: ${coverage}`);
    }
  });

  it('has a range that is not wider than it must be, once there is history', () => {
    const { coverage, error } = backtest(182);
    assert.ok(coverage <= 0.86, `${coverage}`);
    assert.ok(error < 0.13, `${error}`);
  });

  it('repeats a week that never changes, exactly', () => {
    const week = [5, 5, 5, 5, 5, 1, 0];
    const history = Array.from({ length: 30 }, (_, day) => week[day % 7]);
    const projection = projectDays(history, 9);
    assert.deepEqual(projection?.days, [5, 5, 5, 1, 0, 5, 5, 5, 5]);
    assert.deepEqual([projection.lowFactor, projection.highFactor], [1, 1]);
  });

  it('follows growth better than the mean of the past does', () => {
    const history = Array.from({ length: 120 }, (_, day) => 100 * 1.01 ** day);
    const actual = sum(Array.from({ length: 20 }, (_, day) => 100 * 1.01 ** (120 + day)));
    const projection = projectDays(history, 20);
    assert.ok(projection);
    const projected = sum(projection.days);
    const fourWeeks = (sum(history.slice(-28)) / 28) * 20;
    assert.ok(Math.abs(projected - actual) < Math.abs(fourWeeks - actual) / 2, `${projected}`);
    assert.ok(projected * projection.highFactor >= actual);
  });

  it('takes the level of a launch for the usual one, and no trend from it', () => {
    const launch = (before: number, days: number, level: number): readonly number[] =>
      Array.from({ length: before + days }, (_, day) => (day < before ? 0.01 : level));
    for (const [history, usual] of [
      [launch(21, 7, 10), 10],
      [launch(20, 8, 10), 10],
      [launch(50, 10, 100), 100],
    ] as const) {
      const projection = projectDays(history, 30);
      assert.ok(projection);
      const mean = sum(projection.days) / 30 / usual;
      assert.ok(mean > 0.8 && mean < 1.5, `${mean} times the level since the launch`);
      assert.ok(projection.highFactor < 10, `${projection.highFactor}`);
    }
  });

  it('hardly counts a single day far above the usual', () => {
    const spike = (days: number, at: number, value: number): readonly number[] =>
      Array.from({ length: days }, (_, day) => (day === at ? value : 10));
    for (const history of [spike(30, 29, 1000), spike(92, 85, 10_000), spike(182, 180, 1e9)]) {
      const projection = projectDays(history, 30);
      assert.ok(projection);
      const projected = sum(projection.days);
      assert.ok(projected >= 300 && projected < 600, `${projected} where 300 are usual`);
      assert.ok(projected * projection.highFactor < 1500);
    }
  });

  it('is absent with less than two weeks, and where nothing was ever used', () => {
    const known = Array.from({ length: REQUIRED_DAYS }, () => 3);
    assert.ok(projectDays(known, 5));
    assert.equal(projectDays(known.slice(1), 5), undefined);
    assert.equal(projectDays([...known.slice(1), undefined], 5), undefined);
    assert.equal(
      projectDays(
        known.map(() => 0),
        5,
      ),
      undefined,
    );
    assert.equal(projectDays(known, 0), undefined);
  });

  it('is in its range, not negative, and scales with its history', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(amount, { nil: undefined }), { minLength: 0, maxLength: 80 }),
        fc.integer({ min: 1, max: 31 }),
        (history, horizon) => {
          const projection = projectDays(history, horizon);
          if (projection === undefined) return;
          const { days, lowFactor, highFactor } = projection;
          assert.equal(days.length, horizon);
          assert.ok(days.every((value) => Number.isFinite(value) && value >= 0));
          assert.ok(lowFactor >= 0 && lowFactor <= 1 && highFactor >= 1);
          const doubled = projectDays(
            history.map((value) => (value === undefined ? undefined : value * 2)),
            horizon,
          );
          const scale = Math.max(...days, Number.MIN_VALUE);
          for (const [index, value] of days.entries()) {
            assert.ok(Math.abs((doubled?.days[index] ?? NaN) - 2 * value) <= 1e-6 * scale);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
