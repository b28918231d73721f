import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { InfluxUsageReader } from '../../../exporter/influxdb/read/influx-usage-reader.ts';
import { rollUpInfluxLedger } from '../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { LateMarks, ON_THE_WAY } from '../../../exporter/influxdb/rollup/late-marks.ts';
import { UsageLineWriter } from '../../../exporter/influxdb/write/lines/usage-line.ts';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import {
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { influxExecute } from '../../support/influx.ts';
import { rollUpPlace } from '../../support/influx-roll-ups.ts';
import { requireServer, startInfluxd } from '../../support/servers.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';
import { askRandomly } from './random-questions.ts';

const FROM = Date.parse('2026-10-22T20:17:31.250Z');
const RECORDS = mixedRecords(1500, FROM, FROM + 6 * 86_400_000);

/** Each a few more, of all days. */
const STEPS = 3;

function* growing(records: readonly UsageRecord[]): Generator<readonly UsageRecord[]> {
  for (let step = 1; step <= STEPS; step++) {
    yield records.filter((_, index) => index % STEPS < step);
  }
}

/** Of every store, `count` questions. */
export function answersRandomQuestions(count: number): void {
  describe('random questions are answered as naive sums answer them', function () {
    this.timeout(600_000);

    it('by SQLite, also between late calls and days that are summed up', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'token-meter-questions-'));
      const path = join(folder, 'usage.db');
      const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
      const reader = new SqliteUsageReader({ path });
      const seed = Math.floor(Math.random() * 2 ** 31);
      try {
        for (const known of growing(RECORDS)) {
          file.write(known);
          while (file.sumUpDay());
          // The same each time, and twice: the second answer is of sums that were kept.
          for (let times = 0; times < 2; times++) {
            await askRandomly(reader, known, Math.ceil(count / STEPS), { seed, about: RECORDS });
          }
        }
      } finally {
        await reader.close();
        file.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });

    for (const rollUpBucket of [undefined, 'llm_metrics/sums']) {
      const place = rollUpBucket === undefined ? '' : ' of a retention policy of their own';
      it(`by InfluxDB 1.x, from roll-ups${place} and from calls that came late`, async function () {
        requireServer(this, 'influxd');
        const server = await startInfluxd({ databases: ['llm_metrics'] });
        await influxExecute(
          server.url,
          'CREATE RETENTION POLICY sums ON llm_metrics DURATION INF REPLICATION 1',
        );
        const access = {
          url: server.url,
          bucket: 'llm_metrics',
          ...(rollUpBucket !== undefined && { rollUpBucket }),
        };
        const lines = new UsageLineWriter({ maxUserTags: 2, maxDimensionTags: 2, onCleaned() {} });
        const write = async (records: readonly UsageRecord[]): Promise<void> => {
          const body = records.map((record) => `${String(lines.line(record))}\n`).join('');
          const chunk = { body: Buffer.from(body), lines: records.length, multiline: false };
          const marks = new LateMarks(rollUpPlace('llm_metrics', access), ON_THE_WAY).before([
            chunk,
          ]);
          const rp = rollUpBucket === undefined ? '' : '&rp=sums';
          for (const [place, text] of [
            [rp, String(marks?.chunk.body ?? '')],
            ['', body],
          ] as const) {
            await fetch(`${server.url}/write?db=llm_metrics${place}`, {
              method: 'POST',
              body: text,
            });
          }
        };
        const reader = new InfluxUsageReader({ ...access, maxAgeMs: 0 });
        const seed = Math.floor(Math.random() * 2 ** 31);
        try {
          let hours = 0;
          for (const known of growing(RECORDS)) {
            await write(known);
            // Each an hour later: late calls have rested by then.
            for (const isRolledUp of [false, true]) {
              const now = (): number => Date.now() + ++hours * 3_600_000;
              if (isRolledUp) await rollUpInfluxLedger({ ...access, now });
              await askRandomly(reader, known, Math.ceil(count / STEPS / 2), {
                seed,
                about: RECORDS,
              });
            }
          }
        } finally {
          await reader.close();
          await server.stop();
        }
      });
    }

    it('by ClickHouse, from roll-ups and from calls that came late', async function () {
      requireClickHouse(this);
      const server = await startClickHouse();
      await clickHouseTables(server.url, 'llm');
      const early = RECORDS.filter((_, index) => index < 900 || index % 3 === 0);
      await fillClickHouse(server.url, 'llm', early);
      await rollUpClickHouse(server.url, 'llm');
      const reader = new ClickHouseUsageReader({ url: server.url, database: 'llm', maxAgeMs: 0 });
      const seed = Math.floor(Math.random() * 2 ** 31);
      try {
        await askRandomly(reader, early, Math.ceil(count / 2), { seed, about: RECORDS });
        // Some of them twice.
        const late = RECORDS.filter((_, index) => index >= 850 && index % 3 !== 0);
        await fillClickHouse(server.url, 'llm', late);
        await askRandomly(reader, RECORDS, Math.ceil(count / 2), { seed, about: RECORDS });
      } finally {
        await reader.close();
        await server.stop();
      }
    });
  });
}
