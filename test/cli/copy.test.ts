import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatch } from '../../src/cli/dispatch.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import { memoryIo } from './memory-io.ts';
import type { TestServer } from '../support/servers.ts';
import { mixedRecords } from '../support/usage-ledger.ts';

const FROM = Date.parse('2026-10-20T00:00:00Z');
const RECORDS = mixedRecords(2500, FROM, FROM + 5 * 86_400_000);

describe('otel-token-meter copy', function () {
  this.timeout(60_000);
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-copy-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    for (let i = 0; i < RECORDS.length; i += 500) file.write(RECORDS.slice(i, i + 500));
    file.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function copy(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const io = memoryIo({});
    const code = await dispatch(['copy', '--state', join(folder, 'state.json'), ...args], io);
    return { code, out: io.out(), err: io.err() };
  }

  describe('into ClickHouse', () => {
    let server: TestServer;

    before(async function () {
      requireClickHouse(this);
      server = await startClickHouse();
    });
    after(async () => await server?.stop());

    it('copies every call as it is, and compares', async () => {
      await clickHouseTables(server.url, 'moved');
      const to = `clickhouse:${server.url}/moved`;
      const { code, out, err } = await copy('--from', `sqlite:${path}`, '--to', to);
      assert.equal(err, '');
      assert.equal(code, 0, out);
      assert.match(out, /2,?500 calls copied\nthe sums of every day are equal/);
      assert.ok(!existsSync(join(folder, 'state.json')));
      // And back again, into another file: nothing was lost on the way.
      const back = join(folder, 'back.db');
      assert.equal((await copy('--from', to, '--to', `sqlite:${back}`)).code, 0);
      const reader = new SqliteUsageReader({ path: back });
      const records = [];
      let cursor: string | undefined;
      do {
        const page = await reader.records({ limit: 1000, ...(cursor && { cursor }) });
        records.push(...page.records);
        ({ cursor } = page);
      } while (cursor !== undefined);
      await reader.close();
      assert.deepEqual(records.toReversed(), RECORDS);
    });

    it('names the day whose units differ', async () => {
      await clickHouseTables(server.url, 'units');
      const to = `clickhouse:${server.url}/units`;
      await copy('--from', `sqlite:${path}`, '--to', to);
      const last = RECORDS.findLast(
        ({ attributes }) => attributes['token_meter.usage.web_searches'] !== undefined,
      );
      const image = { 'token_meter.usage.generated_images': 1000 };
      await fillClickHouse(server.url, 'units', [{ ...last!, attributes: image }]);
      const { code, out } = await copy('--from', `sqlite:${path}`, '--to', to, '--verify');
      assert.equal(code, 1);
      assert.match(out, /^2026-10-24 web_searches: \d+ in /m);
      assert.match(out, /^2026-10-24 generated_images: \d+ in /m);
      assert.ok(!out.includes('calls:'), out);
    });

    it('names the days whose sums differ', async () => {
      await clickHouseTables(server.url, 'part');
      const to = `clickhouse:${server.url}/part`;
      await copy('--from', `sqlite:${path}`, '--to', to, '--since', '2026-10-22');
      const { code, out } = await copy('--from', `sqlite:${path}`, '--to', to, '--verify');
      assert.equal(code, 1);
      assert.match(out, /^2026-10-20 calls: \d+ in .*usage\.db, none in ClickHouse at/m);
      assert.ok(!out.includes('2026-10-23'));
    });

    it('goes on where it was cut', async () => {
      await clickHouseTables(server.url, 'cut');
      const to = `clickhouse:${server.url}/cut`;
      const state = join(folder, 'state.json');
      const reader = new SqliteUsageReader({ path });
      const until = new Date().toISOString();
      const { cursor } = await reader.records({ to: new Date(until), limit: 1000 });
      await reader.close();
      const where = { from: path, to: `ClickHouse at ${server.url}, cut` };
      const since = new Date(0).toISOString();
      const before = { ...where, since, until, cursor, calls: 1000, isComplete: false };
      writeFileSync(state, JSON.stringify(before));
      const { code, out } = await copy('--from', `sqlite:${path}`, '--to', to);
      // The first page was said to be there and is not: the comparison finds out.
      assert.equal(code, 1);
      assert.match(out, /2,?500 calls copied/);
      const stored = await clickHouse(server.url, 'SELECT count() FROM cut.llm_usage FINAL');
      assert.equal(Number(stored), 1500);
      assert.match(readFileSync(state, 'utf8'), /"isComplete":true/);
    });
  });

  it('refuses what is no ledger, the same ledger, and the state of another copy', async () => {
    const other = join(folder, 'other.db');
    const named = await copy('--from', 'mysql:x', '--to', `sqlite:${path}`);
    assert.match(named.err, /--from names no ledger/);
    const same = await copy('--from', `sqlite:${path}`, '--to', `sqlite:${path}`);
    assert.match(same.err, /are the same ledger/);
    writeFileSync(join(folder, 'state.json'), '{"from":"a","to":"b","until":"x","calls":1}');
    const stale = await copy('--from', `sqlite:${path}`, '--to', `sqlite:${other}`);
    assert.match(stale.err, /state of another copy/);
    assert.equal((await copy('--from', `sqlite:${path}`)).code, 2);
  });
});
