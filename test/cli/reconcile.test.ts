import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { Prices } from '../../src/prices/prices.ts';
import { officeUsage } from '../support/office-usage.ts';
import { type BilledCall, startOpenAiOrganization } from '../support/openai-organization.ts';
import { memoryIo } from './memory-io.ts';

const KEY = 'sk-admin-secret-0123456789';

interface Finding {
  readonly code: string;
  readonly model: string;
  readonly days: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly cost_usd?: number;
  readonly alternatives: readonly string[];
}

interface Report {
  readonly equal: boolean;
  readonly findings: readonly Finding[];
  readonly rows: readonly {
    readonly day: string;
    readonly model: string;
    readonly kind: string;
    readonly state: string;
    readonly reasons: readonly string[];
    readonly gap: number;
  }[];
}

describe('otel-token-meter reconcile', () => {
  let folder: string;
  let path: string;
  let calls: readonly UsageRecord[];
  const prices = new Prices();

  before(async function () {
    this.timeout(60_000);
    await prices.load();
    // A month of the office, of which OpenAI bills its models, each call at the price of the list.
    calls = [...officeUsage({ until: Date.parse('2026-11-01T00:00:00Z'), days: 32, perDay: 40 })]
      .filter(({ provider, time }) => provider === 'openai' && time >= '2026-10-01')
      .filter(({ requestModel }) => requestModel !== 'support-bot-ft')
      .map((call) => ({ ...call, costSource: 'list', ...prices.price(call) }));
    assert.ok(calls.length > 1000, `${calls.length} calls`);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-reconcile-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const ledger = (records: readonly UsageRecord[]): void => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([...records]);
    file.close();
  };
  const billed = (record: UsageRecord, over: Partial<BilledCall> = {}): BilledCall => ({
    record,
    apiKey: 'key_app',
    batch: false,
    costUsd: record.costUsd ?? 0,
    ...over,
  });
  const run = async (
    bill: readonly BilledCall[],
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string; asked: readonly string[] }> => {
    const server = await startOpenAiOrganization(bill, { adminKey: KEY });
    try {
      const io = memoryIo({ OPENAI_ADMIN_KEY: KEY });
      const all = ['reconcile', 'openai', '--sqlite', path, '--base-url', server.baseUrl];
      const code = await dispatch([...all, '--month', '2026-10', ...args], io);
      return { code, out: io.out(), err: io.err(), asked: server.asked };
    } finally {
      await server.close();
    }
  };

  it('says that a bill is equal, figure by figure', async () => {
    ledger(calls);
    const { code, out, err, asked } = await run(
      calls.map((record) => billed(record)),
      '--json',
    );
    assert.equal(code, 0, out + err);
    const { equal, findings, rows } = JSON.parse(out) as Report;
    assert.equal(equal, true);
    assert.deepEqual(findings, []);
    assert.ok(rows.length > 200);
    assert.ok(rows.every(({ state }) => state !== 'gap'));
    assert.ok(
      asked.some((path) => path.includes('page=')),
      'it follows the cursor',
    );
    assert.ok(!(out + err).includes(KEY));
  });

  it('names an unmetered key, a changed price and batch calls in a month of the demo', async () => {
    const isShadow = (record: UsageRecord): boolean => record.userId === 'wei.zhang';
    const isBatch = (record: UsageRecord): boolean =>
      record.conversationId?.startsWith('c') === true;
    const isDearer = ({ requestModel, time }: UsageRecord): boolean =>
      requestModel === 'gpt-5.1' && time >= '2026-10-16';
    ledger(calls.filter((record) => !isShadow(record)));
    const bill = calls.map((record) => {
      const batch = record.requestModel === 'gpt-4.1-mini' && isBatch(record);
      const factor = (isDearer(record) ? 1.2 : 1) * (batch ? 0.5 : 1);
      const costUsd = (record.costUsd ?? 0) * factor;
      return billed(record, {
        apiKey: isShadow(record) ? 'key_shadow' : 'key_app',
        batch,
        costUsd,
      });
    });
    const { code, out } = await run(bill, '--json');
    assert.equal(code, 3, out);
    const { findings, rows } = JSON.parse(out) as Report;
    const named = findings.map(({ code: reason, model, alternatives }) => [
      reason,
      model,
      alternatives.length,
    ]);
    assert.deepEqual(
      named.toSorted(([a, b], [c, d]) => (`${a} ${b}` < `${c} ${d}` ? -1 : 1)),
      [
        ['batch_tier', 'gpt-4.1-mini', 0],
        ['price_changed', 'gpt-5.1', 0],
        ['unmetered_key', 'gpt-4.1-mini', 0],
        ['unmetered_key', 'gpt-5.1', 0],
      ],
    );
    for (const { code: reason, subject, days, text } of findings) {
      if (reason === 'unmetered_key') assert.equal(subject, 'key key_shadow');
      if (reason !== 'price_changed') continue;
      assert.equal(days[0], '2026-10-16');
      assert.match(text, /120\.00 % of the ledger's cost from 2026-10-16/);
    }
    // Every gap has its reason, and a figure without a gap has none.
    for (const { state, reasons, day, model, kind } of rows) {
      assert.equal(reasons.length > 0, state === 'gap', `${day} ${model} ${kind}`);
    }
  });

  it('never takes a bill for equal of which nothing, or no cost, was compared', async () => {
    ledger(calls);
    const empty = await run([]);
    assert.equal(empty.code, 4, empty.out);
    assert.match(empty.out, /NOT COMPARED: The bill has no usage and no costs to compare\./);
    assert.match(empty.out, /Not compared, since the bill does not give it: .*cost_usd/);
    const csv = await run([], '--csv');
    assert.equal(csv.code, 4);
    assert.match(csv.err, /no usage and no costs/);
    const bill = calls.map((record) => billed(record, { currency: 'eur' }));
    const foreign = await run(bill, '--json');
    assert.equal(foreign.code, 4);
    const report = JSON.parse(foreign.out) as Report & { readonly bill_lacks: readonly string[] };
    assert.equal(report.equal, false);
    assert.deepEqual(report.bill_lacks, ['costs']);
    assert.match(foreign.out, /Costs in eur were left out/);
  });

  it('prints a table for people, and CSV', async () => {
    ledger(calls.slice(1));
    const bill = calls.map((record) => billed(record));
    const { code, out } = await run(bill);
    assert.equal(code, 3);
    assert.match(out, /OpenAI organization usage and costs at http:.* beside .*usage\.db/);
    assert.match(out, /2026-10-\d\d +\S+ +calls +\S+ +\d+ +\+1 +calls_not_metered/);
    assert.match(out, /GAP: \d+ of \d+ figures are equal/);
    const csv = await run(bill, '--csv');
    assert.match(csv.out, /^day,model,kind,ledger,bill,gap,state,reasons\r\n2026-10-01,/);
  });

  it('explains who is refused and who is not there, without the key', async () => {
    ledger(calls.slice(0, 10));
    const server = await startOpenAiOrganization([], { adminKey: 'another' });
    const args = ['reconcile', 'openai', '--sqlite', path, '--base-url', server.baseUrl];
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, `${KEY}\n`);
    try {
      const refused = memoryIo({ OPENAI_ADMIN_KEY_FILE: keyFile });
      assert.equal(await dispatch(args, refused), 1);
      assert.match(
        refused.err(),
        /refused the key \(status 401\); it needs an admin key in OPENAI_ADMIN_KEY/,
      );
      assert.ok(!refused.err().includes(KEY));
      const without = memoryIo();
      assert.equal(await dispatch(args, without), 1);
      assert.match(without.err(), /OPENAI_ADMIN_KEY is not set/);
    } finally {
      await server.close();
    }
    const gone = memoryIo({ OPENAI_ADMIN_KEY: KEY });
    assert.equal(await dispatch(args, gone), 1);
    assert.match(gone.err(), /\/v1\/organization\/usage\/completions cannot be reached/);
    const odd = memoryIo({ OPENAI_ADMIN_KEY: `${KEY}\u00e9` });
    assert.equal(await dispatch(args, odd), 1);
    assert.match(odd.err(), /OPENAI_ADMIN_KEY holds no key/);
    assert.ok(!odd.err().includes(KEY));
  });
});
