import assert from 'node:assert/strict';
import { parseUsageTime } from '../../../../exporter/ledger/queries/usage-time.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const parse = async (text: string, timeZone?: string): Promise<string> =>
  (await parseUsageTime(text, timeZone, NOW)).toISOString();

describe('parseUsageTime', () => {
  it('reads now, ages, dates and full times', async () => {
    assert.equal(await parse('now'), '2026-11-20T12:00:00.000Z');
    assert.equal(await parse('90m'), '2026-11-20T10:30:00.000Z');
    assert.equal(await parse('-24h'), '2026-11-19T12:00:00.000Z');
    assert.equal(await parse('7d'), '2026-11-13T12:00:00.000Z');
    assert.equal(await parse('2w'), '2026-11-06T12:00:00.000Z');
    assert.equal(await parse('2026-11-01'), '2026-11-01T00:00:00.000Z');
    assert.equal(await parse('2026-11-01T08:30:00+08:00'), '2026-11-01T00:30:00.000Z');
  });

  it('starts a date where the zone does', async () => {
    assert.equal(await parse('2026-10-26', 'Europe/Berlin'), '2026-10-25T23:00:00.000Z');
    assert.equal(await parse('2026-10-25', 'Europe/Berlin'), '2026-10-24T22:00:00.000Z');
    assert.equal(await parse('2026-11-01', 'Asia/Kolkata'), '2026-10-31T18:30:00.000Z');
    // midnight does not exist there on that day
    assert.equal(await parse('2024-03-31', 'Asia/Beirut'), '2024-03-30T22:00:00.000Z');
  });

  it('refuses what could mean two things', async () => {
    for (const text of [
      '',
      'yesterday',
      '2026-11-01T08:30:00',
      '11/01/2026',
      '2026-13-01',
      '2026-02-31',
      '2026-02-31T08:00:00Z',
      '5y',
    ]) {
      await assert.rejects(parse(text), { code: 'INVALID_OPTION' }, text);
    }
    await assert.rejects(parse('2026-11-01', 'Mars/Olympus'), { code: 'INVALID_OPTION' });
  });
});
