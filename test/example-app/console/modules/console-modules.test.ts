import assert from 'node:assert/strict';
import { inConsole } from '../../../support/console-module.ts';
import { consolePages } from '../../../support/console-pages.ts';

describe('console modules', () => {
  const pages = consolePages();

  it('cuts days of 23 and 25 hours at midnight, and hours where the clocks change', async () => {
    const page = await pages.open('/sign-in', { timezoneId: 'Europe/Berlin' });
    const days = await inConsole<string[]>(
      page,
      'view/period.ts',
      `m.periodOf({ from: '2026-03-20T00:00:00+01:00', to: '2026-03-31T00:00:00+02:00' }, new Date())
        .starts.map((start) => new Date(start).toISOString())`,
    );
    assert.equal(days.length, 11);
    assert.deepEqual(days.slice(8), [
      '2026-03-27T23:00:00.000Z',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
    const hours = await inConsole<number>(
      page,
      'view/period.ts',
      `m.periodOf({ from: '2026-10-25T00:00:00+02:00', to: '2026-10-26T00:00:00+01:00' }, new Date())
        .starts.length`,
    );
    assert.equal(hours, 25);
  });

  it('keeps the two hours of the same name apart where clocks go back', async () => {
    const page = await pages.open('/sign-in', { timezoneId: 'America/St_Johns' });
    const values = await inConsole<(number | null)[]>(
      page,
      ['view/buckets.ts', 'view/period.ts'],
      `(() => {
        const range = { from: '2027-11-07T00:00:00-02:30', to: '2027-11-07T04:00:00-03:30' };
        const rows = ['02:30', '03:30', '04:30', '05:30'].map((time, index) =>
          ({ start: '2027-11-07T' + time + ':00.000Z', calls: index + 1 }));
        return m.bucketValues(rows, m.periodOf(range, new Date()), ({ calls }) => calls)
          .map((value) => value ?? null);
      })()`,
    );
    assert.deepEqual(values, [1, 2, 3, 4, null]);
  });

  it('asks for the history of the settings after a change, and not before it may again', async () => {
    const page = await pages.open('/sign-in');
    const seen = await inConsole<unknown[]>(
      page,
      ['api/settings-history.ts', 'api/client.ts'],
      `(async () => {
        const { ApiError } = m;
        const history = new m.SettingsHistory();
        let asked = 0;
        const entries = async (version, now, answer) => {
          const settings = { version, updated_at: 't' + version };
          const ask = async () => {
            asked += 1;
            if (answer instanceof Error) throw answer;
            return answer;
          };
          try {
            const { entries, refused } = await history.until(settings, ask, now);
            return [entries.join(), refused?.status ?? 0, asked];
          } catch (error) {
            return [error.name, asked];
          }
        };
        return [
          await entries(1, 0, new DOMException('another view', 'AbortError')),
          await entries(1, 1, ['one']),
          await entries(1, 2, ['never asked for']),
          await entries(2, 3, new ApiError(429, 'wait', {}, 5000)),
          await entries(2, 5002, ['too early']),
          await entries(2, 5003, ['two']),
          await entries(3, 5004, new ApiError(503, 'away')),
          await entries(3, 15_003, ['too early']),
          await entries(3, 15_004, ['three']),
        ];
      })()`,
    );
    assert.deepEqual(seen, [
      ['AbortError', 1],
      ['one', 0, 2],
      ['one', 0, 2],
      ['one', 429, 3],
      ['one', 429, 3],
      ['two', 0, 4],
      ['two', 0, 5],
      ['two', 0, 5],
      ['three', 0, 6],
    ]);
  });

  it('begins presets at a local border and ends them now', async () => {
    const page = await pages.open('/sign-in', { timezoneId: 'Asia/Kolkata' });
    const now = '2026-11-25T10:20:00+05:30';
    const periods = await inConsole<[string, string, string, number][]>(
      page,
      'view/period.ts',
      `['today', '24h', '7d', '90d'].map((range) => {
        const { from, to, unit, starts } = m.periodOf(range, new Date('${now}'));
        return [from.toISOString(), to.toISOString(), unit, starts.length];
      })`,
    );
    const to = new Date(now).toISOString();
    assert.deepEqual(periods, [
      ['2026-11-24T18:30:00.000Z', to, 'hour', 11],
      ['2026-11-24T05:30:00.000Z', to, 'hour', 24],
      ['2026-11-18T18:30:00.000Z', to, 'hour', 155],
      ['2026-08-27T18:30:00.000Z', to, 'day', 90],
    ]);
    await page.setViewportSize({ width: 360, height: 700 });
    const unit = await inConsole<string>(
      page,
      'view/period.ts',
      `m.periodOf('7d', new Date()).unit`,
    );
    assert.equal(unit, 'day', 'a phone has no room for 168 bars');
  });

  it('keeps a view in an address and gives it back; nonsense is the default', async () => {
    const page = await pages.open('/sign-in');
    const addresses = [
      '',
      '?range=30d&by=user&measure=cost_usd&latency=first&user=a%26b&user=&outcome=error',
      '?from=2026-01-01T00%3A00%3A00.000Z&to=2026-01-02T00%3A00%3A00.000Z&conversation=%E7%8E%8B',
    ];
    for (const address of addresses) {
      const again = await inConsole<string>(
        page,
        'view/view.ts',
        `m.searchOf(m.viewOf(${JSON.stringify(address)}))`,
      );
      assert.equal(again, address);
    }
    for (const nonsense of [
      '?range=9y&by=x&measure=1',
      '?from=2026-01-02&to=2026-01-01',
      '?from=x',
    ]) {
      const search = await inConsole<string>(
        page,
        'view/view.ts',
        `m.searchOf(m.viewOf(${JSON.stringify(nonsense)}))`,
      );
      assert.equal(search, '', nonsense);
    }
  });

  it('reads times of less recording from changes, whoever made them and whatever came between', async () => {
    const page = await pages.open('/sign-in');
    const entry = (hour: number, actor: string, from: object, to: object): object => ({
      time: `2026-11-25T${String(hour).padStart(2, '0')}:00:00.000Z`,
      actor,
      from,
      to,
    });
    const on = { enabled: true };
    const off = { enabled: false };
    const [counted, uncounted] = [{ token_statistics: true }, { token_statistics: false }];
    const newestFirst = [
      entry(8, 'eve', counted, uncounted),
      entry(7, 'bob', uncounted, counted),
      entry(6, 'restore', {}, {}),
      entry(5, 'carl', off, on),
      entry(4, 'bob', on, off),
      entry(2, 'ada', counted, uncounted),
    ];
    const gapsOf = async (entries: object, current: object): Promise<unknown[]> =>
      await inConsole<unknown[]>(
        page,
        'view/statistics-gaps.ts',
        `m.statisticsGaps(${JSON.stringify(entries)}, ${JSON.stringify(current)}, {
          from: Date.parse('2026-11-25T01:00:00Z'), to: Date.parse('2026-11-25T10:00:00Z'),
        }).map(({ from, to, what, by, open }) =>
          [new Date(Math.max(0, from)).getUTCHours(), new Date(to).getUTCHours(), what, by ?? null, open])`,
      );
    assert.deepEqual(await gapsOf(newestFirst, { ...on, ...uncounted }), [
      [2, 4, 'tokens', 'ada', false],
      [4, 5, 'recording', 'bob', false],
      [5, 7, 'tokens', 'ada', false],
      [8, 10, 'tokens', 'eve', true],
    ]);
    assert.deepEqual(await gapsOf([], { ...off, ...counted }), [[0, 10, 'recording', null, true]]);
    assert.deepEqual(await gapsOf([], { ...on, ...counted }), []);
  });

  it('writes unknown as a dash, small sums with their digits, changes in words', async () => {
    const page = await pages.open('/sign-in', { locale: 'en-US' });
    const written = await inConsole<unknown[]>(
      page,
      'formats.ts',
      `[
      [undefined, 0, 999, 12_345, 1_234_567_890].map(m.formatCompact),
      [undefined, 0, 0.000123, 0.05, 1234.5, 123_456].map(m.formatMoney),
      [undefined, 0, 0.0000012, 0.25].map((usd) => m.formatCallCost({ cost_usd: usd })),
      [m.formatCost({ cost_usd: 0.5, partial_cost_calls: 2 }), m.formatCallCost({ cost_missing: ['x'] }), m.partialCostText(2)],
      [undefined, 0, 12.4, 1500, 90_000, 7_200_000].map(m.formatMs),
      [[5, undefined], [5, 0], [1, 2], [3, 2], [100, 100.01], [200, 10]].map(([a, b]) => m.formatChange(a, b).text),
    ]`,
    );
    assert.deepEqual(written, [
      ['–', '0', '999', '12.3K', '1.23B'],
      ['–', '$0.00', '$0.000123', '$0.050', '$1,234.50', '$123,456'],
      ['–', '$0.00000', '< $0.00001', '$0.25000'],
      ['at least $0.50', '–', 'at least: 2 calls have parts without a price'],
      ['–', '0s', '12ms', '1.5s', '1.5m', '2h'],
      [
        '',
        '',
        '▼ 50% vs previous period',
        '▲ 50% vs previous period',
        'same as the previous period',
        '▲ 20× the previous period',
      ],
    ]);
  });
});
