import assert from 'node:assert/strict';
import { officeUsage } from './office-usage.ts';

describe('made-up usage of an office', () => {
  it('contains every model in any seven days, at any hour', () => {
    const MINUTE_MS = 60_000;
    // Steps of 25 hours and 1 minute: every weekday, every hour of a day, leap day and switch days.
    let until = new Date(2027, 0, 1).getTime();
    for (let step = 0; step < 800; step++, until += 25 * 60 * MINUTE_MS + MINUTE_MS) {
      const records = [...officeUsage({ until, days: 7, perDay: 1 })];
      const models = new Set(records.map(({ requestModel }) => requestModel));
      assert.ok(models.has('support-bot-ft'), new Date(until).toString());
      assert.ok(models.size >= 6, new Date(until).toString());
    }
  });

  it('is the same for the same options', () => {
    const calls = (): unknown[] =>
      [...officeUsage({ until: Date.UTC(2028, 1, 29, 12), days: 8, perDay: 8 })].map(
        ({ requestModel, userId, totalTokens, durationMs }) => [
          requestModel,
          userId,
          totalTokens,
          durationMs,
        ],
      );
    assert.deepEqual(calls(), calls());
  });
});
