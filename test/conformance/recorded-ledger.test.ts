import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { SqliteUsageProcessor } from '../../exporter/sqlite/write/sqlite-usage-processor.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import type { UsageLogProcessor } from '../../exporter/ledger/usage-event.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import type { UsageGroup, UsageReader } from '../../exporter/ledger/usage-query.ts';
import { countMessageTokens, countTokens } from '../../src/tokens/index.ts';
import { Prices } from '../../src/prices/prices.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';
import { rowsOf, sumOf } from '../support/usage-oracle.ts';

const DAY_MS = 86_400_000;
const END = Date.parse('2026-11-20T00:00:00Z');
const START = END - 90 * DAY_MS;
const CALLS = 1957;
const MODELS = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-4o-mini'],
  ['acme', 'house-model'],
] as const;

interface Conversation {
  readonly id: string;
  readonly messages: { readonly role: string; readonly content: string | null }[];
}

/** Every assistant turn as the call it was: 90 days, 200 users, priced by the bundled list. */
async function recordedCalls(): Promise<UsageRecord[]> {
  const prices = new Prices();
  await prices.load();
  const path = new URL('../fixtures/conversations.jsonl', import.meta.url);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const records: UsageRecord[] = [];
  for (const [number, line] of lines.entries()) {
    const { id, messages } = JSON.parse(line) as Conversation;
    const [provider, requestModel] = MODELS[number % MODELS.length] ?? MODELS[0];
    for (const [turn, message] of messages.entries()) {
      if (message.role !== 'assistant') continue;
      const inputTokens = countMessageTokens(messages.slice(0, turn), requestModel);
      const text = message.content ?? JSON.stringify(message);
      const outputTokens = countTokens(String(text), requestModel);
      // Days apart from call to call, so that conversations, users and days all cross.
      const at = START + ((records.length * 7919) % CALLS) * ((90 * DAY_MS) / CALLS);
      const call = usageRecord(Math.floor(at), {
        provider,
        requestModel,
        userId: `user-${number % 200}`,
        conversationId: id,
        inputTokens,
        outputTokens,
        totalTokens: inputTokens + outputTokens,
        tokenSource: provider === 'acme' ? 'estimated' : 'counted',
        durationMs: 100 + outputTokens * 20,
      });
      const costUsd = prices.costOf(call);
      records.push({ ...call, ...(costUsd !== undefined && { costUsd }) });
    }
  }
  return records;
}

const GROUPINGS: readonly (readonly UsageGroup[])[] = [
  ['user'],
  ['conversation'],
  ['model'],
  ['day'],
  ['day', 'model'],
  ['user', 'model'],
];

describe('the recorded conversations, 1,957 calls of 200 users in 90 days', () => {
  let records: UsageRecord[];
  let folder: string;

  before(async function () {
    this.timeout(60_000);
    folder = mkdtempSync(join(tmpdir(), 'token-meter-recorded-'));
    records = await recordedCalls();
    assert.equal(records.length, CALLS);
    assert.equal(new Set(records.map(({ userId }) => userId)).size, 200);
    assert.ok(records.some(({ costUsd }) => costUsd === undefined));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function emit(processor: UsageLogProcessor): Promise<void> {
    for (const record of records) processor.onEmit(logOf(record));
    await processor.forceFlush();
    await processor.shutdown();
  }

  /** Every number of every row against a sum over the records themselves. */
  async function compare(reader: UsageReader): Promise<void> {
    const range = { from: new Date(START), to: new Date(END) };
    const whole = { fromMs: START, toMs: END };
    for (const timeZone of ['UTC', 'Asia/Shanghai']) {
      for (const groupBy of GROUPINGS) {
        const { rows, total } = await reader.summary({ ...range, groupBy, timeZone, limit: 1000 });
        const expected = rowsOf(records, { ...whole, groupBy, timeZone });
        const byKey = new Map(expected.map((row) => [JSON.stringify(row.key), row.records]));
        assert.equal(rows.length, expected.length, groupBy.join());
        for (const row of rows) {
          const calls = byKey.get(JSON.stringify(groupBy.map((group) => row[group]))) ?? [];
          assert.deepEqual(
            [row.calls, row.inputTokens, row.outputTokens, row.totalTokens, row.costUsd],
            [
              calls.length,
              sumOf(calls, 'inputTokens'),
              sumOf(calls, 'outputTokens'),
              sumOf(calls, 'totalTokens'),
              sumOf(calls, 'costUsd'),
            ],
            `${groupBy.join()} ${JSON.stringify(row)}`,
          );
        }
        assert.equal(total.calls, CALLS);
        assert.equal(total.totalTokens, sumOf(records, 'totalTokens'));
        assert.equal(total.costUsd, sumOf(records, 'costUsd'));
        const unpriced = records.filter(({ costUsd }) => costUsd === undefined);
        assert.equal(total.unpricedCalls, unpriced.length);
      }
    }
  }

  it('add up in SQLite', async () => {
    const path = join(folder, 'usage.db');
    await emit(new SqliteUsageProcessor({ path }));
    const reader = new SqliteUsageReader({ path });
    await compare(reader);
    await reader.close();
  });

  it('add up in InfluxDB 1.x', async function () {
    requireServer(this, 'influxd');
    const server = await startInfluxd({ databases: ['llm_metrics'] });
    const options = { url: server.url, bucket: 'llm_metrics' };
    await emit(
      new InfluxUsageProcessor({ ...options, spool: { directory: join(folder, 'spool') } }),
    );
    const reader = new InfluxUsageReader(options);
    await compare(reader);
    await reader.close();
    await server.stop();
  });
});
