import assert from 'node:assert/strict';
import { eraseInfluxUser } from '../../../../exporter/influxdb/erase/influx-erase.ts';
import { resolveInfluxOptions } from '../../../../exporter/influxdb/influx-options.ts';
import { InfluxSummarySource } from '../../../../exporter/influxdb/read/influx-summary.ts';
import { SharedReads } from '../../../../exporter/influxdb/read/shared-reads.ts';
import { checkQuery } from '../../../../exporter/ledger/queries/checked-query.ts';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { rollUpInfluxLedger } from '../../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { LateMarks, ON_THE_WAY } from '../../../../exporter/influxdb/rollup/late-marks.ts';
import { LedgerClients } from '../../../../exporter/influxdb/rollup/ledger-clients.ts';
import { moveRollUps } from '../../../../exporter/influxdb/rollup/roll-up-move.ts';
import { RollUpWriter } from '../../../../exporter/influxdb/rollup/roll-up-writer.ts';
import { InfluxUsageProcessor } from '../../../../exporter/influxdb/write/influx-usage-processor.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageQuery, UsageSummary } from '../../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { influxExecute, influxRows } from '../../../support/influx.ts';
import { rollUpPlace } from '../../../support/influx-roll-ups.ts';
import { rounded } from '../../../support/rounded.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-10-20T00:00:00Z');
const END = Date.parse('2026-10-24T00:00:00Z');
const NOW = Date.parse('2026-10-24T12:00:00Z');
const RECORDS = mixedRecords(500, START, END);
const MEASUREMENTS = ['hours', 'days', 'marks'].map((name) => `llm_usage_rollup_${name}`);

describe('roll-ups in a bucket of their own, InfluxDB 1.x', () => {
  let server: TestServer;
  let bucket = '';
  let count = 0;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd();
  });
  after(async () => await server?.stop());
  beforeEach(async () => {
    bucket = `own_${++count}`;
    await influxExecute(server.url, `CREATE DATABASE ${bucket}`);
    await influxExecute(
      server.url,
      `CREATE RETENTION POLICY sums ON ${bucket} DURATION INF REPLICATION 1`,
    );
  });

  const access = (): { url: string; bucket: string; rollUpBucket: string } => ({
    url: server.url,
    bucket,
    rollUpBucket: `${bucket}/sums`,
  });

  async function post(body: string, policy?: string): Promise<void> {
    const query = new URLSearchParams({ db: bucket, ...(policy !== undefined && { rp: policy }) });
    const response = await fetch(`${server.url}/write?${query.toString()}`, {
      method: 'POST',
      body,
    });
    assert.equal(response.status, 204, await response.text());
  }

  async function write(records: readonly UsageRecord[]): Promise<void> {
    const lines = new UsageLineWriter({ maxUserTags: 3, maxDimensionTags: 3, onCleaned() {} });
    await post(records.map((record) => `${String(lines.line(record))}\n`).join(''));
  }

  /** As retention does it: the oldest first. */
  async function deleteCalls(condition: string): Promise<void> {
    const q = `DELETE FROM llm_usage WHERE ${condition}`;
    const body = new URLSearchParams({ q });
    const answer = await fetch(`${server.url}/query?db=${bucket}`, { method: 'POST', body });
    assert.doesNotMatch(await answer.text(), /error/);
  }

  const rollUp = async (
    options: { now?: number; verify?: boolean } = {},
  ): ReturnType<typeof rollUpInfluxLedger> => {
    const { now = NOW, ...rest } = options;
    return await rollUpInfluxLedger({ ...access(), ...rest, to: new Date(NOW), now: () => now });
  };

  async function ask(
    query: Partial<UsageQuery> = {},
    options: object = access(),
  ): Promise<UsageSummary> {
    const reader = new InfluxUsageReader({ ...access(), ...options, now: () => NOW });
    try {
      return await reader.summary({ from: new Date(START), to: new Date(NOW), ...query });
    } finally {
      await reader.close();
    }
  }

  const QUESTIONS: readonly Partial<UsageQuery>[] = [
    { groupBy: ['hour', 'model'], distinct: true },
    { groupBy: ['user', 'team'] },
    { groupBy: ['day', 'dimension.feature'], percentiles: true },
    { groupBy: ['conversation'] },
  ];
  const answers = async (): Promise<unknown> => {
    const all = [];
    for (const question of QUESTIONS) all.push(rounded(await ask(question)));
    return all;
  };

  describe('of a ledger that has them with its calls', () => {
    const counted = async (policy: string): Promise<Record<string, unknown>> => {
      const counts: Record<string, unknown> = {};
      for (const name of MEASUREMENTS) {
        const field = name.endsWith('marks') ? 'at' : 'version';
        const q = `SELECT count(${field}) FROM ${bucket}.${policy}.${name}`;
        const [row] = await influxRows(server.url, bucket, q);
        counts[name] = row?.['count'] ?? 0;
      }
      return counts;
    };

    it('are moved once, also after a crash in the middle', async () => {
      await write(RECORDS.slice(20));
      await rollUpInfluxLedger({ url: server.url, bucket, now: () => NOW });
      const marks = new LateMarks(rollUpPlace(bucket), ON_THE_WAY, () => NOW);
      const late = Buffer.from(`x y=1 ${START + HOUR_MS}000000\n`);
      await post(String(marks.before([{ body: late, lines: 1, multiline: false }])?.chunk.body));
      await write(RECORDS.slice(0, 20));
      const plain = async (): Promise<unknown> => {
        const all = [];
        for (const question of QUESTIONS) {
          all.push(rounded(await ask(question, { rollUpBucket: undefined })));
        }
        return all;
      };
      const before = await plain();
      const there = await counted('autogen');
      assert.deepEqual(there, {
        llm_usage_rollup_hours: 96,
        llm_usage_rollup_days: 4,
        llm_usage_rollup_marks: 1,
      });
      const target = resolveInfluxOptions('test', { ...access(), spool: false });
      const clients = new LedgerClients(target);
      const writer = new RollUpWriter(clients.place);
      try {
        const crash = new AbortController();
        let writes = 0;
        const dying = {
          write: async (lines: readonly string[]) => {
            if (++writes === 3) crash.abort(new Error('crash'));
            await writer.write(lines);
          },
        } as RollUpWriter;
        await assert.rejects(moveRollUps(target, clients, dying, NOW, crash.signal), /crash/);
        assert.deepEqual(await counted('autogen'), there);
        const half = await counted('sums');
        assert.ok(Number(half['llm_usage_rollup_hours']) < 96, JSON.stringify(half));
        assert.deepEqual(await answers(), before);
        // Made again meanwhile: what is there is newer.
        const hours = clients.place.series('llm_usage_rollup_hours');
        await post(`${hours} revision=7i,marks=0i ${START}000000`, 'sums');
        await post(`llm_usage_rollup_hours revision=6i ${START}000000`);
        await moveRollUps(target, clients, writer, NOW);
        const q = `SELECT revision FROM ${bucket}.sums.llm_usage_rollup_hours`;
        const [{ revision } = {}] = await influxRows(server.url, bucket, q);
        assert.equal(revision, 7);
        assert.deepEqual(await counted('sums'), there);
        const none = Object.fromEntries(MEASUREMENTS.map((name) => [name, 0]));
        assert.deepEqual(await counted('autogen'), none);
        assert.deepEqual(await answers(), before);
        // A process without the setting marks there once more.
        const again = String(
          new LateMarks(rollUpPlace(bucket), 'other', () => NOW).before([
            { body: late, lines: 1, multiline: false },
          ])?.chunk.body,
        );
        await post(again);
        await moveRollUps(target, clients, writer, NOW);
        assert.equal((await counted('sums'))['llm_usage_rollup_marks'], 2);
      } finally {
        clients.close();
        writer.close();
      }
    });

    it('are not made of less when they are moved', async () => {
      await write(RECORDS);
      await rollUpInfluxLedger({ url: server.url, bucket, now: () => NOW });
      const { total } = await ask({}, { rollUpBucket: undefined });
      await deleteCalls("time < '2026-10-22T13:00:00Z'");
      await rollUp();
      const moved = await ask();
      assert.equal(moved.total.calls, total.calls);
      assert.equal(moved.missing, undefined);
    });
  });

  it('stay where retention removes calls in the middle of a day', async () => {
    await write(RECORDS);
    await rollUp();
    const before = await answers();
    await deleteCalls("time < '2026-10-22T13:00:00Z'");
    const verified = await rollUp({ verify: true });
    assert.deepEqual([verified.made, verified.wrong], [0, 0]);
    assert.deepEqual(await answers(), before);
    const { missing } = await ask({ groupBy: ['user', 'model'] });
    assert.deepEqual(missing, [
      { from: '2026-10-20T00:00:00.000Z', to: '2026-10-22T13:00:00.000Z' },
    ]);
    // Late calls of the rest of the day are added to it.
    const late = usageRecord(Date.parse('2026-10-22T20:00:00Z'));
    const processor = new InfluxUsageProcessor({ ...access(), spool: false });
    processor.onEmit(logOf(late));
    await processor.shutdown();
    const { total } = await ask();
    assert.equal(total.calls, RECORDS.length + 1);
    const again = await rollUp({ now: Date.now() + HOUR_MS });
    assert.equal(again.wrong, 0);
    const after = await ask({ groupBy: ['dimension.feature'] });
    assert.equal(after.total.calls, RECORDS.length + 1);
    const old = (before as UsageSummary[])[2];
    const features = new Set(old?.rows.map((row) => row['dimension.feature']));
    assert.deepEqual(new Set(after.rows.map((row) => row['dimension.feature'])), features);
  });

  it('are no longer right where a process that may not read adds calls to hours that are gone', async () => {
    await write(RECORDS);
    await rollUp();
    await deleteCalls("time < '2026-10-22T00:00:00Z'");
    await rollUp();
    const before = await ask({ groupBy: ['hour'] });
    const hour = Date.parse('2026-10-21T05:00:00Z');
    const marks = new LateMarks(rollUpPlace(bucket, access()), ON_THE_WAY, () => NOW);
    const body = Buffer.from(`x y=1 ${hour}000000\n`);
    const { chunk } = marks.before([{ body, lines: 1, multiline: false }]) ?? {};
    await post(String(chunk?.body), 'sums');
    await write([usageRecord(hour + 1000)]);
    for (const now of [NOW, NOW + HOUR_MS]) {
      const result = await rollUp({ now });
      assert.equal(result.wrong, 0);
      const { rows, missing } = await ask({ groupBy: ['hour'] });
      assert.deepEqual(rounded(rows), rounded(before.rows));
      assert.deepEqual(missing, [
        { from: '2026-10-21T05:00:00.000Z', to: '2026-10-21T06:00:00.000Z' },
      ]);
    }
  });

  it('tell hours that were never summed up from those without calls', async () => {
    const isQuiet = ({ time }: UsageRecord): boolean => time.startsWith('2026-10-21');
    const records = RECORDS.filter((record) => !isQuiet(record));
    await write(records);
    await rollUp();
    await deleteCalls("time < '2026-10-22T13:00:00Z'");
    await rollUp();
    const { total, missing } = await ask();
    assert.equal(total.calls, records.length);
    assert.equal(missing, undefined);
    await deleteFromSums('llm_usage_rollup_hours', '2026-10-22T07:00:00Z');
    await deleteFromSums('llm_usage_rollup_days', '2026-10-22T00:00:00Z');
    const without = await ask();
    assert.deepEqual(without.missing, [
      { from: '2026-10-22T07:00:00.000Z', to: '2026-10-22T08:00:00.000Z' },
    ]);
    // A day is not made of 23 hours.
    await rollUp({ verify: true });
    assert.deepEqual((await ask()).missing, without.missing);
  });

  async function deleteFromSums(measurement: string, time: string): Promise<void> {
    const body = new URLSearchParams({ q: `DELETE FROM ${measurement} WHERE time = '${time}'` });
    const answer = await fetch(`${server.url}/query?db=${bucket}`, { method: 'POST', body });
    assert.doesNotMatch(await answer.text(), /error/);
  }

  it('say that they lack a table that was too large to be stored', async () => {
    await write(RECORDS);
    await rollUp();
    await deleteCalls("time < '2026-10-22T00:00:00Z'");
    await rollUp();
    const before = await ask({ groupBy: ['user'] });
    const day = Date.parse('2026-10-21T00:00:00Z');
    const series = (name: string): string =>
      rollUpPlace(bucket, access()).series(`llm_usage_rollup_${name}`);
    await post(`${series('days')} users="" ${day}000000`, 'sums');
    // The hours of the day have it.
    assert.deepEqual(rounded(await ask({ groupBy: ['user'] })), rounded(before));
    await post(`${series('hours')} users="" ${day + 3 * HOUR_MS}000000`, 'sums');
    const { missing } = await ask({ groupBy: ['user'] });
    assert.deepEqual(missing, [
      { from: '2026-10-21T03:00:00.000Z', to: '2026-10-21T04:00:00.000Z' },
    ]);
    assert.equal((await ask({ groupBy: ['model'] })).missing, undefined);
  });

  it('forget an erased user in the day that is kept in part, and in old ones', async () => {
    await write(RECORDS);
    await rollUp();
    await deleteCalls("time < '2026-10-22T13:00:00Z'");
    const userId = 'alice';
    const { total } = await ask();
    const of = async (): Promise<number> => {
      const { rows } = await ask({ groupBy: ['user'], limit: 100 });
      return rows.find(({ user }) => user === userId)?.calls ?? 0;
    };
    const reader = new InfluxUsageReader({ url: server.url, bucket });
    const { records } = await reader.records({ filter: { user: userId }, limit: 1000 });
    await reader.close();
    assert.ok((await of()) > records.length && records.length > 0);
    const { erased } = await eraseInfluxUser({ ...access(), userId });
    assert.equal(erased, records.length);
    assert.equal(await of(), 0);
    const after = await ask();
    assert.equal(after.total.calls, total.calls - erased);
    assert.equal((await rollUp({ verify: true })).wrong, 0);
    assert.equal(await of(), 0);
  });

  it('are asked for up to the end of time', async () => {
    await write(RECORDS);
    await rollUp();
    await deleteCalls("time < '2026-10-22T13:00:00Z'");
    const everything = { from: new Date(0), to: new Date('2262-04-11T23:00:00Z') };
    const { total, missing } = await ask(everything);
    assert.deepEqual([total.calls, missing], [RECORDS.length, undefined]);
    const reader = new InfluxUsageReader(access());
    const { records } = await reader.records({ from: new Date('2026-10-23') });
    const id = records.find(({ conversationId }) => conversationId)?.conversationId ?? '';
    const conversation = await reader.conversation(id);
    await reader.close();
    assert.equal(conversation.total?.calls, conversation.records.length);
  });

  it('know different users and conversations, also where those are too many to be kept', async () => {
    await write(RECORDS);
    await rollUp();
    await deleteCalls("time < '2026-10-22T13:00:00Z'");
    const { total } = await ask({ distinct: true });
    const target = resolveInfluxOptions('test', { ...access(), spool: false });
    const clients = new LedgerClients(target);
    const now = (): number => NOW;
    const source = new InfluxSummarySource(
      clients,
      new SharedReads(clients, now, 0),
      now,
      undefined,
    );
    const query = await checkQuery({ from: new Date(START), to: new Date(NOW) });
    const { users, conversations } = await source.distinct(query);
    clients.close();
    assert.deepEqual(
      { users, conversations },
      {
        users: total.users,
        conversations: total.conversations,
      },
    );
    assert.equal(users, new Set(RECORDS.map(({ userId }) => userId).filter(Boolean)).size);
  });

  it('may be those of several ledgers', async () => {
    const other = `${bucket}_other`;
    await influxExecute(server.url, `CREATE DATABASE ${other}`);
    await write(RECORDS);
    await rollUp();
    const options = { ...access(), bucket: other };
    const result = await rollUpInfluxLedger({ ...options, now: () => NOW });
    assert.equal(result.made, 0);
    assert.equal((await ask({}, options)).total.calls, 0);
    assert.equal((await ask()).total.calls, RECORDS.length);
  });

  it('are asked for where they are not, with what makes their bucket', async () => {
    await write(RECORDS.slice(0, 5));
    await assert.rejects(ask({}, { rollUpBucket: `${bucket}/none` }), {
      code: 'BACKEND_REFUSED',
      message: /retention policy not found: none; `otel-token-meter setup influxdb` makes/,
    });
  });

  it('are no option where none are made, or with the calls', () => {
    for (const wrong of [{ rollUps: false }, { rollUpBucket: bucket }]) {
      assert.throws(() => resolveInfluxOptions('test', { ...access(), ...wrong }), {
        code: 'INVALID_OPTION',
      });
    }
  });
});
