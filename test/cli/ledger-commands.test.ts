import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { hashedUserId } from '../../src/usage/build-record.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const USERS = ['alice', 'bob', "o'Brien \\ 用户", '(other)'];

const records = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    usageRecord(T0 + i * 60_000, {
      userId: USERS[i % USERS.length] ?? '',
      inputTokens: 10,
      outputTokens: 1,
      totalTokens: 11,
      tokenSource: 'provider',
    }),
  );

describe('commands that copy and change a ledger', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-commands-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(records(4000));
    file.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo(env);
    const code = await dispatch(args, io);
    return { code, out: io.out(), err: io.err() };
  };
  /** Calls by the roll-up and by single calls. */
  const callsIn = async (ledger: string, user?: string): Promise<readonly number[]> => {
    const reader = new SqliteUsageReader({ path: ledger });
    const range = { from: new Date('2026-01-01'), to: new Date('2027-01-01') };
    const all = await reader.summary(range);
    const single = await reader.summary({
      ...range,
      ...(user !== undefined && { filter: { user } }),
      percentiles: true,
    });
    await reader.close();
    return [all.total.calls, single.total.calls];
  };

  describe('backup', () => {
    it('copies the ledger while another connection writes to it', async () => {
      const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
      const to = join(folder, 'copies', 'backup.db');
      let more = 0;
      const writer = setInterval(() => (more += file.write([usageRecord(T0 + more)])), 1);
      const { code, out, err } = await run(['backup', to, '--sqlite', path, '--json']);
      clearInterval(writer);
      file.close();
      assert.equal(code, 0, err);
      const told = JSON.parse(out) as { records: number; damaged: boolean };
      assert.equal(told.damaged, false);
      assert.ok(told.records >= 4000 && told.records <= 4000 + more);
      assert.deepEqual(await callsIn(to), [told.records, told.records]);
      assert.equal(statSync(to).mode & 0o777, 0o600);
      assert.deepEqual(
        readdirSync(join(folder, 'copies')).filter((name) => name.includes('partial')),
        [],
      );
    });

    it('keeps a file that is there, unless it is forced', async () => {
      const to = join(folder, 'there.db');
      writeFileSync(to, 'mine');
      const refused = await run(['backup', to, '--sqlite', path]);
      assert.equal(refused.code, 1);
      assert.match(refused.err, /a file that does not exist yet/);
      assert.equal(readFileSync(to, 'utf8'), 'mine');
      assert.equal((await run(['backup', path, '--sqlite', path, '--force'])).code, 1);
      assert.equal((await run(['backup', to, '--sqlite', path, '--force'])).code, 0);
      assert.deepEqual(await callsIn(to), [4000, 4000]);
    });

    it('says what is wrong, and leaves nothing behind', async () => {
      const to = join(folder, 'no.db');
      const missing = await run(['backup', to, '--sqlite', join(folder, 'none.db')]);
      assert.equal(missing.code, 1);
      assert.match(missing.err, /cannot back up .*none\.db/);
      writeFileSync(join(folder, 'text.db'), 'no database at all, just text'.repeat(100));
      assert.equal((await run(['backup', to, '--sqlite', join(folder, 'text.db')])).code, 1);
      assert.deepEqual(readdirSync(folder).toSorted(), ['text.db', 'usage.db']);
      assert.equal((await run(['backup'])).code, 2);
      const elsewhere = await run(['backup', to], { INFLUX_URL: 'http://127.0.0.1:1' });
      assert.match(
        elsewhere.err,
        /InfluxDB at http:\/\/127\.0\.0\.1:1, llm_metrics.*backup command of that server/,
      );
    });

    it('copies what can be read of a damaged ledger', async () => {
      const bytes = readFileSync(path);
      bytes.fill(0xff, 4096 * 40, 4096 * 42);
      writeFileSync(path, bytes);
      const to = join(folder, 'rest.db');
      const { code, err } = await run(['backup', to, '--sqlite', path]);
      assert.equal(code, 1, err);
      assert.match(err, /is damaged: .*rest\.db holds what could be read/);
      const [all = 0, single] = await callsIn(to);
      assert.equal(all, single);
      assert.ok(all > 3700 && all <= 4000, `${all}`);
    });
  });

  describe('rollup', () => {
    it('sums up a ledger, verifies it, and repairs what is wrong with exit code 1', async () => {
      const made = await run(['rollup', '--sqlite', path]);
      assert.equal(made.code, 0, made.err);
      assert.match(made.out, /^\d+ closed hours, \d+ of them made/);
      const verified = await run(['rollup', '--sqlite', path, '--verify', '--json']);
      assert.equal(verified.code, 0, verified.out);
      assert.equal((JSON.parse(verified.out) as { made: number }).made, 0);
      const database = new DatabaseSync(path);
      database.exec(
        'UPDATE usage_day SET input_tokens = 0 WHERE day = (SELECT min(day) FROM usage_day)',
      );
      database.close();
      const repaired = await run(['rollup', '--sqlite', path, '--verify']);
      assert.equal(repaired.code, 1);
      assert.match(repaired.out, /24 had wrong sums and were repaired/);
      assert.equal((await run(['rollup', '--sqlite', path, '--verify'])).code, 0);
      assert.match((await run(['rollup', '--help'])).out, /--verify/);
    });

    it('makes no file where there is none', async () => {
      const { code, err } = await run(['rollup', '--sqlite', join(folder, 'none.db')]);
      assert.equal(code, 1);
      assert.match(err, /cannot sum up/);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('none')),
        [],
      );
    });
  });

  describe('erase', () => {
    it('only counts when asked to, and asks before it deletes', async () => {
      const dry = await run(['erase', '--user', 'alice', '--sqlite', path, '--dry-run']);
      assert.equal(dry.code, 0);
      assert.match(dry.out, /1,000 calls found, 0 deleted/);
      const unasked = await run(['erase', '--user', 'alice', '--sqlite', path]);
      assert.equal(unasked.code, 2);
      assert.match(unasked.err, /1,000 calls would be deleted.*--yes/);
      assert.equal((await run(['erase', '--sqlite', path, '--yes'])).code, 2);
      assert.deepEqual(await callsIn(path, 'alice'), [4000, 1000]);
    });

    it('deletes one user from calls and sums, and no trace of the id is left in the files', async () => {
      writeFileSync(`${path}.corrupted-20260101T000000-1`, 'old');
      const { code, out, err } = await run(['erase', '--user', 'alice', '--sqlite', path, '--yes']);
      assert.equal(code, 0, err);
      assert.match(out, /1,000 calls found, 1,000 deleted/);
      assert.match(err, /may still be in .*corrupted-/);
      assert.deepEqual(await callsIn(path), [3000, 3000]);
      assert.deepEqual(await callsIn(path, 'alice'), [3000, 0]);
      assert.deepEqual(await callsIn(path, 'bob'), [3000, 1000]);
      for (const name of readdirSync(folder).filter((one) => one.startsWith('usage.db'))) {
        assert.equal(readFileSync(join(folder, name)).includes('alice'), false, name);
      }
      assert.equal((await run(['erase', '--user', 'alice', '--sqlite', path, '--yes'])).code, 0);
    });

    it('finds a user whose ids are hashed', async () => {
      const key = 'a-long-enough-key';
      const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
      file.write([usageRecord(T0, { userId: hashedUserId('carol', key) })]);
      file.close();
      const env = { TOKEN_METER_USER_ID_HASH_KEY: key };
      const dry = await run(['erase', '--user', 'carol', '--sqlite', path, '--dry-run'], env);
      assert.match(dry.out, /^1 calls found/);
    });

    it('makes no file where there is none', async () => {
      const none = join(folder, 'none.db');
      const { code, err } = await run(['erase', '--user', 'a', '--sqlite', none, '--yes']);
      assert.equal(code, 1);
      assert.match(err, /cannot erase from the usage ledger/);
      assert.ok(!readdirSync(folder).includes('none.db'));
    });

    it('deletes from InfluxDB 1.x, users with a tag and those without', async function () {
      requireServer(this, 'influxd');
      const influxd = await startInfluxd({ databases: ['usage'] });
      try {
        const lines = new UsageLineWriter({ maxUserTags: 1, maxDimensionTags: 10, onCleaned() {} });
        const body = records(80)
          .map((record) => String(lines.line(record)))
          .join('\n');
        const write = await fetch(`${influxd.url}/write?db=usage`, { method: 'POST', body });
        assert.equal(write.status, 204);
        const env = { INFLUX_URL: influxd.url, INFLUX_BUCKET: 'usage' };
        let left = 80;
        for (const user of USERS) {
          const dry = await run(['erase', '--user', user, '--dry-run', '--json'], env);
          assert.deepEqual(JSON.parse(dry.out), { found: 20, erased: 0, may_remain: [] }, user);
          const done = await run(['erase', '--user', user, '--yes'], env);
          assert.equal(done.code, 0, done.err);
          assert.match(done.out, /^20 calls found, 20 deleted/);
          left -= 20;
          const rest = await run(['report', '--since', '2026-01-01', '--json'], env);
          const { total } = JSON.parse(rest.out) as { total: { calls: number } };
          assert.equal(total.calls, left, user);
        }
      } finally {
        await influxd.stop();
      }
    });

    it('names folders where records wait for another destination', async function () {
      requireServer(this, 'influxd');
      const influxd = await startInfluxd({ databases: ['usage'] });
      try {
        const directory = join(folder, 'spool');
        const url = 'http://127.0.0.1:9';
        const spool = { directory };
        const other = new InfluxUsageProcessor({ url, bucket: 'old', spool, version: '1' });
        other.onEmit(logOf(usageRecord(T0, { userId: 'alice' })));
        await other.shutdown();
        const env = {
          INFLUX_URL: influxd.url,
          INFLUX_BUCKET: 'usage',
          TOKEN_METER_SPOOL_DIRECTORY: directory,
        };
        const { code, err } = await run(['erase', '--user', 'alice', '--yes'], env);
        assert.equal(code, 0, err);
        assert.match(err, /^1 records wait in \S+ for http:\/\/127\.0\.0\.1:9 old: /);
      } finally {
        await influxd.stop();
      }
    });

    it('says that InfluxDB 3 cannot', async () => {
      const { createServer } = await import('node:http');
      const server = createServer((_, response) => {
        response.writeHead(200, { 'cluster-uuid': 'e3f0' });
        response.end('{"product_name":"InfluxDB 3 Core","version":"3.6.0"}');
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const env = { INFLUX_URL: `http://127.0.0.1:${port}`, INFLUX_TOKEN: 't' };
      const { code, err } = await run(['erase', '--user', 'a', '--yes'], env);
      assert.equal(code, 1);
      assert.match(err, /InfluxDB 3 cannot delete the records of one user/);
      server.closeAllConnections();
      server.close();
    });
  });

  describe('export', () => {
    it('writes every call of one user, in pages', async () => {
      const out = join(folder, 'bob.jsonl');
      const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
      file.write(Array.from({ length: 2500 }, (_, i) => usageRecord(T0 + i, { userId: 'bob' })));
      file.close();
      const { code, err } = await run(['export', '--user', 'bob', '--sqlite', path, '--out', out]);
      assert.equal(code, 0, err);
      assert.match(err, /3,500 calls/);
      const lines = readFileSync(out, 'utf8').trim().split('\n');
      const calls = lines.map((line) => JSON.parse(line) as { user_id: string; id: string });
      assert.equal(new Set(calls.map(({ id }) => id)).size, 3500);
      assert.ok(calls.every(({ user_id }) => user_id === 'bob'));
      assert.equal(statSync(out).mode & 0o777, 0o600);
      const again = await run(['export', '--user', 'bob', '--sqlite', path, '--out', out]);
      assert.equal(again.code, 1);
      assert.match(again.err, /EEXIST/);
    });

    it('writes to stdout, within a range', async () => {
      const range = ['--since', '2026-11-01T10:00:00Z', '--until', '2026-11-01T11:00:00Z'];
      const { code, out } = await run(['export', '--user', 'alice', '--sqlite', path, ...range]);
      assert.equal(code, 0);
      assert.equal(out.trim().split('\n').length, 15);
    });
  });
});
