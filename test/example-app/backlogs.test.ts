import assert from 'node:assert/strict';
import { Backlogs } from '../../example-app/backlogs.ts';
import { healthOf } from '../../example-app/routes/dashboard-health.ts';
import type { StoreBacklog } from '../../exporter/index.ts';
import { until } from '../support/until.ts';

const backlog = (over: Partial<StoreBacklog>): StoreBacklog => ({
  isRedirectable: true,
  folder: '/spool/llm-1234',
  destination: { url: 'http://old:8086', bucket: 'llm' },
  lines: 5,
  bytes: 900,
  oldest: '2026-11-01T10:00:00.000Z',
  isOwned: false,
  isCurrent: false,
  redirect: async () => await Promise.resolve(0),
  ...over,
});

describe('what the dashboard says about the spool', () => {
  it('names former destinations whose records nobody sends', () => {
    const { backlogs } = healthOf({
      backlogs: () => [
        backlog({}),
        backlog({ isCurrent: true }),
        backlog({ isOwned: true }),
        backlog({ destination: {}, lines: 2 }),
      ],
    });
    assert.deepEqual(backlogs, [
      { destination: 'llm, http://old:8086', lines: 5, oldest: '2026-11-01T10:00:00.000Z' },
      { destination: '?, ?', lines: 2, oldest: '2026-11-01T10:00:00.000Z' },
    ]);
  });

  it('shows what is in memory only, and what another process took over', () => {
    const status = {
      state: 'failing' as const,
      accepted: 10,
      delivered: 3,
      dropped: {},
      retries: 0,
      spoolBytes: 0,
      volatile: 7,
      handedOver: 4,
    };
    const { exporter } = healthOf({ exporter: () => status });
    assert.equal(exporter?.volatile, 7);
    assert.equal(exporter?.handed_over, 4);
    const { volatile: _, handedOver: __, ...well } = status;
    assert.equal('volatile' in (healthOf({ exporter: () => well }).exporter ?? {}), false);
  });

  it('looks once a minute at most, and keeps what it knew while the folder cannot be read', async () => {
    let now = 0;
    let looks = 0;
    let fails = false;
    const backlogs = new Backlogs(
      {
        async backlogs() {
          looks++;
          if (fails) throw new Error('EACCES');
          return await Promise.resolve([backlog({ lines: looks })]);
        },
      },
      () => now,
    );
    assert.equal(backlogs.last.length, 0);
    await until(() => backlogs.last.length === 1);
    assert.equal(looks, 1);
    now = 61_000;
    fails = true;
    void backlogs.last;
    await until(() => looks === 2);
    assert.equal(backlogs.last[0]?.lines, 1);
    await new Backlogs({}).refresh();
  });
});
