import assert from 'node:assert/strict';
import type { AlertRule, SpikeRule } from '../../../exporter/alerts/alert-rule.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import type { UsageReader } from '../../../exporter/ledger/usage-query.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usageRecord } from '../../support/usage-logs.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

describe('rules on what is usual', () => {
  let folder: string;
  let file: LedgerFile;
  let reader: SqliteUsageReader;
  let sent: UsageAlert[];
  let now: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-rules-'));
    const path = join(folder, 'usage.db');
    file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    reader = new SqliteUsageReader({ path });
    sent = [];
  });
  afterEach(async () => {
    await reader.close();
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const spend = (at: number, costUsd: number, userId = 'ann'): void =>
    void file.write([
      usageRecord(at, {
        userId,
        inputTokens: 10,
        outputTokens: 0,
        totalTokens: 10,
        tokenSource: 'provider',
        costUsd,
      }),
    ]);
  const watch = (rule: AlertRule, from: Pick<UsageReader, 'summary'> = reader): UsageAlerts =>
    new UsageAlerts({
      rules: [rule],
      reader: from,
      onAlert: (alert) => void sent.push(alert),
      now: () => now,
    });

  describe('a forecast', () => {
    const rule: AlertRule = {
      name: 'month',
      kind: 'forecast',
      metric: 'costUsd',
      timeZone: 'Europe/Berlin',
      warning: 61,
      alert: 80,
    };

    it('is reported before the month is over, with its range, and taken back', async () => {
      now = Date.parse('2026-11-15T12:00:00Z');
      for (let day = 1; day <= 50; day++) spend(now - day * DAY, 2);
      const alerts = watch(rule);
      await alerts.evaluate();
      assert.equal(sent.length, 0);
      // The next days cost three times as much.
      for (let day = 0; day < 3; day++) {
        now += DAY;
        spend(now - 1, 8);
        await alerts.evaluate();
      }
      const [warning] = sent;
      assert.equal(warning?.level, 'warning');
      assert.equal(warning.kind, 'forecast');
      assert.ok(warning.value! >= 61 && warning.value! < 80, String(warning.value));
      assert.ok(warning.low! <= warning.value! && warning.value! <= warning.high!);
      assert.ok(warning.used! < 50);
      assert.deepEqual(
        [warning.from, warning.to, warning.threshold],
        ['2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z', 61],
      );
      now = Date.parse('2026-12-10T12:00:00Z');
      await alerts.evaluate();
      assert.equal(sent.at(-1)?.level, 'ok');
    });

    it('is for each user, says nothing without history, and asks for today only', async () => {
      now = Date.parse('2026-11-15T12:00:00Z');
      for (let day = 0; day <= 50; day++) spend(now - day * DAY - 1, 3, 'ann');
      for (let day = 0; day <= 5; day++) spend(now - day * DAY - 1, 100, 'new');
      const ranges: number[] = [];
      const alerts = watch(
        { ...rule, by: 'user' },
        {
          async summary(query) {
            ranges.push(Math.round((+query.to - +query.from) / DAY));
            return await reader.summary(query);
          },
        },
      );
      await alerts.evaluate();
      await alerts.evaluate();
      assert.deepEqual(
        sent.map(({ key, level }) => [key, level]),
        [['ann', 'alert']],
      );
      assert.deepEqual(ranges, [182, 1, 1]);
    });
  });

  describe('a spike', () => {
    const rule: SpikeRule = {
      name: 'unusual hour',
      kind: 'spike',
      metric: 'costUsd',
      minimum: 5,
      timeZone: 'Europe/Berlin',
      warning: 4,
      alert: 8,
    };
    /** The same hour of each of the weeks before. */
    const history = (weeks: number, costOf: (week: number) => number, userId?: string): void => {
      for (let week = 1; week <= weeks; week++) {
        // Berlin's clocks went back on 25 October: half an hour ago in local time.
        const shift = now - week * WEEK < Date.parse('2026-10-25T01:00:00Z') ? HOUR : 0;
        spend(now - week * WEEK - shift - HOUR / 2, costOf(week), userId);
      }
    };

    it('is far from the median of past weeks at the same local time, and over later', async () => {
      now = Date.parse('2026-11-16T09:00:00Z');
      // One wild week does not make the others unusual.
      history(9, (week) => (week === 3 ? 500 : 10 + (week % 3)));
      spend(now - 1000, 14);
      const alerts = watch(rule);
      await alerts.evaluate();
      assert.equal(sent.length, 0);
      spend(now - 900, 9);
      await alerts.evaluate();
      const [alert] = sent;
      assert.equal(alert?.level, 'alert');
      assert.equal(alert.kind, 'spike');
      assert.equal(alert.value, 23);
      assert.equal(alert.usual, 11);
      // 11 + 8 × max(1.4826 MAD, 10 % of 11)
      assert.ok(Math.abs(alert.threshold! - (11 + 8 * 1.4826)) < 1e-6, String(alert.threshold));
      now += 2 * HOUR;
      await alerts.evaluate();
      assert.equal(sent.at(-1)?.level, 'ok');
    });

    it('must reach the minimum', async () => {
      now = Date.parse('2026-11-16T09:00:00Z');
      history(9, () => 0.01);
      spend(now - 1000, 4.9);
      const alerts = watch(rule);
      await alerts.evaluate();
      assert.equal(sent.length, 0);
      spend(now - 900, 0.2);
      await alerts.evaluate();
      assert.deepEqual(
        sent.map(({ level, threshold }) => [level, threshold]),
        [['alert', 5]],
      );
    });

    it('needs four weeks of history', async () => {
      now = Date.parse('2026-11-16T09:00:00Z');
      history(4, () => 1);
      spend(now - 1000, 90);
      const alerts = watch(rule);
      await alerts.evaluate();
      assert.equal(sent.length, 0);
      spend(now - 5 * WEEK, 1);
      now += HOUR;
      spend(now - 1000, 90);
      await alerts.evaluate();
      assert.deepEqual(
        sent.map(({ level }) => level),
        ['alert'],
      );
    });

    it('is of a user who was never there at this hour, as by a stolen key', async () => {
      now = Date.parse('2026-11-16T03:00:00Z');
      for (let week = 1; week <= 8; week++) {
        spend(now - week * WEEK + 8 * HOUR, 20, 'ann');
        spend(now - week * WEEK - HOUR / 2, 20, 'batch');
      }
      spend(now - 9 * WEEK, 1, 'ann');
      spend(now - 1000, 6, 'ann');
      spend(now - 900, 21, 'batch');
      const alerts = watch({ ...rule, by: 'user', timeZone: 'UTC' });
      await alerts.evaluate();
      assert.deepEqual(
        sent.map(({ key, level, usual }) => [key, level, usual]),
        [['ann', 'alert', 0]],
      );
    });
  });
});
