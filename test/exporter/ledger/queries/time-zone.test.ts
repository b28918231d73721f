import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TimeZone } from '../../../../exporter/ledger/queries/time-zone.ts';

const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

describe('TimeZone', () => {
  it('starts a day where midnight is skipped, whatever the sign and size of the offset', async () => {
    // IANA time zone database 2026a: in each of them clocks go forward at 00:00.
    for (const [name, date, start] of [
      ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00.000Z'],
      ['America/Havana', '2026-03-08', '2026-03-08T05:00:00.000Z'],
      ['Atlantic/Azores', '2026-03-29', '2026-03-29T01:00:00.000Z'],
      ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00:00.000Z'],
    ] as const) {
      const zone = await TimeZone.load(name);
      assert.equal(new Date(zone.startOfDay(dayOf(date))).toISOString(), start, name);
      const next = zone.startOfDay(dayOf(date) + 1);
      assert.equal(next - zone.startOfDay(dayOf(date)), 23 * 3_600_000, name);
    }
  });

  it('starts a day where midnight comes twice with the first of them', async () => {
    const havana = await TimeZone.load('America/Havana');
    const start = havana.startOfDay(dayOf('2026-11-01'));
    assert.equal(new Date(start).toISOString(), '2026-11-01T04:00:00.000Z');
    assert.equal(havana.startOfDay(dayOf('2026-11-02')) - start, 25 * 3_600_000);
  });

  it('starts a day that a zone left out with the day after it', async () => {
    const apia = await TimeZone.load('Pacific/Apia');
    assert.equal(apia.startOfDay(dayOf('2011-12-30')), apia.startOfDay(dayOf('2011-12-31')));
  });

  it('cuts a range where the offset changes, and nowhere else', async () => {
    const berlin = await TimeZone.load('Europe/Berlin');
    const [from, to] = [Date.parse('2026-03-01'), Date.parse('2026-11-01')];
    assert.deepEqual(
      berlin.segments(from, to).map(({ fromMs, toMs, offsetMs }) => {
        return [new Date(fromMs).toISOString(), toMs - fromMs, offsetMs / 3_600_000];
      }),
      [
        ['2026-03-01T00:00:00.000Z', Date.parse('2026-03-29T01:00:00Z') - from, 1],
        ['2026-03-29T01:00:00.000Z', 210 * 86_400_000, 2],
        ['2026-10-25T01:00:00.000Z', to - Date.parse('2026-10-25T01:00:00Z'), 1],
      ],
    );
    const change = Date.parse('2026-03-29T01:00:00Z');
    assert.equal(berlin.segments(change, change + 1).length, 1);
    assert.equal(berlin.segments(change - 1, change).length, 1);
    assert.equal(berlin.segments(change - 1, change + 1).length, 2);
    assert.equal((await TimeZone.load('Asia/Kolkata')).segments(from, to).length, 1);
  });

  it('refuses a zone that does not exist', async () => {
    for (const name of ['Mars/Olympus', '', 'Europe/Berlin[u-ca=iso8601]']) {
      await assert.rejects(TimeZone.load(name), { code: 'INVALID_OPTION' }, name);
    }
  });

  it('loads the implementation of Temporal only where a zone is used', async () => {
    const module = import.meta.resolve('../../../../exporter/ledger/queries/time-zone.ts');
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { TimeZone } = await import('${module}');
      await TimeZone.load('UTC');
      const before = loaded.filter((url) => url.includes('temporal')).length;
      await TimeZone.load('Europe/Berlin');
      console.log(before, loaded.some((url) => url.includes('temporal')));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=otel-token-meter/source',
      '--input-type=module',
      '-e',
      script,
    ]);
    assert.equal(stdout, '0 true\n');
  });
});
