import assert from 'node:assert/strict';
import { Temporal } from 'temporal-polyfill';
import { Calendar } from '../../src/budgets/calendar.ts';
import type { CalendarUnit } from '../../src/budgets/budget.ts';

const spanAt = (unit: CalendarUnit, zone: string, at: string): readonly [string, string] => {
  const { fromMs, toMs } = new Calendar(unit, zone).spanAt(Date.parse(at));
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
};

describe('windows of the calendar', () => {
  it('turn over at midnight of their zone, also where days have 23 or 25 hours', () => {
    assert.deepEqual(spanAt('day', 'Europe/Berlin', '2026-03-29T12:00:00Z'), [
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
    assert.deepEqual(spanAt('day', 'Europe/Berlin', '2026-10-25T12:00:00Z'), [
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ]);
  });

  it('begin with the first instant of a day that has no midnight', () => {
    assert.deepEqual(spanAt('day', 'America/Santiago', '2026-09-06T12:00:00Z'), [
      '2026-09-06T04:00:00.000Z',
      '2026-09-07T03:00:00.000Z',
    ]);
  });

  it('have the hours of zones that are half an hour off, and each hour of a clock that goes back', () => {
    assert.deepEqual(spanAt('hour', 'Asia/Kolkata', '2026-01-01T00:29:59.999Z'), [
      '2025-12-31T23:30:00.000Z',
      '2026-01-01T00:30:00.000Z',
    ]);
    for (const hour of ['00', '01']) {
      assert.equal(
        spanAt('hour', 'Europe/Berlin', `2026-10-25T${hour}:59:00Z`)[0],
        `2026-10-25T${hour}:00:00.000Z`,
      );
    }
  });

  it('are in UTC, from Monday, from the first of a month, and hold their first instant', () => {
    assert.deepEqual(spanAt('week', 'UTC', '2026-11-29T23:59:59.999Z'), [
      '2026-11-23T00:00:00.000Z',
      '2026-11-30T00:00:00.000Z',
    ]);
    assert.deepEqual(spanAt('month', 'UTC', '2026-12-01T00:00:00Z'), [
      '2026-12-01T00:00:00.000Z',
      '2027-01-01T00:00:00.000Z',
    ]);
  });

  it('agree with Temporal at many instants of many zones', () => {
    const zones = ['America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'];
    let seed = 7;
    for (let index = 0; index < 300; index++) {
      seed = (seed * 48_271) % 2_147_483_647;
      const zone = zones[index % zones.length]!;
      const ms = Date.UTC(2010, 0, 1) + (seed / 2_147_483_647) * 20 * 365 * 86_400_000;
      const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(ms)).toZonedDateTimeISO(zone);
      const day = at.startOfDay();
      const starts = {
        day,
        week: day.subtract({ days: at.dayOfWeek - 1 }).startOfDay(),
        month: day.with({ day: 1 }).startOfDay(),
      };
      for (const unit of ['day', 'week', 'month'] as const) {
        const { fromMs, toMs } = new Calendar(unit, zone).spanAt(Math.floor(ms));
        assert.equal(fromMs, starts[unit].epochMilliseconds, `${unit} ${at.toString()}`);
        const after = starts[unit].add({ [`${unit}s`]: 1 }).startOfDay();
        // Apia left out 30 December 2011.
        if (zone !== 'Pacific/Apia')
          assert.equal(toMs, after.epochMilliseconds, `${unit} ${at.toString()}`);
      }
    }
  });
});
