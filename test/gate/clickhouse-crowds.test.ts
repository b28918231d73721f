import assert from 'node:assert/strict';
import { ClickHouseUsageReader } from '../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import type { UsageQuery } from '../../exporter/ledger/usage-query.ts';
import {
  clickHouse,
  clickHouseTables,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import { rounded } from '../support/rounded.ts';
import type { TestServer } from '../support/servers.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-11-10T00:00:00Z');
const END = START + 96 * HOUR_MS;
const CALLS = 800_000;

/** Conversations of many days, of one, and of the hours at the borders alone. Only one has reasoning tokens. */
const FILL = `INSERT INTO crowd.llm_usage (time, record_id, service, operation, provider, model, user, conversation,
    duration_ms, outcome, input_tokens, output_tokens, total_tokens, reasoning_tokens, token_source, cost_nanos)
  SELECT fromUnixTimestamp64Nano(toInt64(${START} + intDiv(number * ${END - START}, ${CALLS})) * 1000000, 'UTC') AS at,
    concat('r-', toString(number)), 'chat', 'chat', 'openai', 'gpt-4o',
    concat('user-', toString(if(c = 'm-1', number % 3, cityHash64(c) % 50))),
    if(number % 10 = 0, concat('m-', toString(toUInt32(pow(rand(2) / 4294967296, 2) * 300))),
      concat('c-', toString(intDiv(number, 720)), '-', toString(toUInt32(pow(rand(2) / 4294967296, 2) * 120)))) AS c,
    1 + rand(3) % 1000, if(rand(4) % 50 = 0, 'error', 'ok') AS how,
    if(how = 'ok', rand(5) % 4000, NULL) AS i, if(how = 'ok', rand(6) % 900, NULL) AS o, i + o,
    if(how = 'ok' AND c = 'm-200', 7, NULL), if(how = 'ok', 'provider', ''), i * 2500
  FROM numbers(${CALLS})`;

const QUESTIONS: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
  { distinct: true, compare: 'previous' },
  { distinct: true, filter: { user: 'user-7' } },
  { groupBy: ['conversation'] },
  { groupBy: ['conversation'], orderBy: 'calls', limit: 5 },
  { groupBy: ['conversation'], orderBy: 'costUsd', order: 'asc', limit: 3 },
  { groupBy: ['conversation'], orderBy: 'reasoningTokens', limit: 4 },
  { groupBy: ['conversation', 'day'], limit: 7, compare: 'previous' },
  { groupBy: ['conversation', 'user'], orderBy: 'durationMs', limit: 6 },
  { groupBy: ['conversation'], filter: { user: ['user-7', 'user-8'] }, orderBy: 'errors' },
  { groupBy: ['conversation'], percentiles: true, limit: 2 },
];
const RANGES = [
  [START + 5.5 * HOUR_MS, END - 7.25 * HOUR_MS],
  [START + 24 * HOUR_MS, END - 24 * HOUR_MS],
  [START + 5.5 * HOUR_MS + 1, END - 7.25 * HOUR_MS],
] as const;

describe('more conversations on ClickHouse than a reader keeps', function () {
  this.timeout(120_000);
  let server: TestServer;
  const ask = async (sql: string): Promise<string> => (await clickHouse(server.url, sql)).trim();

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
    for (const database of ['crowd', 'alone']) await clickHouseTables(server.url, database);
    await ask(FILL);
    await ask('INSERT INTO alone.llm_usage SELECT * FROM crowd.llm_usage');
    for (const table of ['changes', 'cells']) await ask(`DROP TABLE alone.llm_usage_${table} SYNC`);
    await rollUpClickHouse(server.url, 'crowd');
    const [days, known] = ['uniqExact(conversation)', '3 * count()'].map(async (count) =>
      Number(
        await ask(`SELECT ${count} FROM crowd.llm_usage_daily_conversations
        WHERE cell BETWEEN '2026-11-11 00:00:00' AND '2026-11-12 00:00:00'`),
      ),
    );
    assert.ok(
      (await days)! > 60_000 && (await known)! < CALLS / 2,
      'sums of days are worth reading',
    );
  });
  after(async () => await server?.stop());

  it('are ranked and summed up as by their calls alone, also after the days are kept', async () => {
    const [reader, alone] = ['crowd', 'alone'].map(
      (database) => new ClickHouseUsageReader({ url: server.url, database, maxAgeMs: 10 }),
    ) as [ClickHouseUsageReader, ClickHouseUsageReader];
    for (const [from, to] of RANGES) {
      for (const question of QUESTIONS) {
        const query = { from: new Date(from), to: new Date(to), ...question };
        const answer = await reader.summary(query);
        assert.deepEqual(rounded(answer), rounded(await alone.summary(query)));
      }
    }
    // A late call of a conversation that was far behind, in a day that was kept.
    for (const database of ['crowd', 'alone']) {
      await ask(`INSERT INTO ${database}.llm_usage (time, record_id, conversation, outcome, total_tokens, input_tokens, token_source)
        VALUES ('2026-11-11 12:00:00', 'late', 'c-late', 'ok', 900000000, 900000000, 'provider')`);
    }
    const [[from, to]] = RANGES;
    const query = { from: new Date(from), to: new Date(to), groupBy: ['conversation'] } as const;
    const answer = await reader.summary({ ...query, limit: 2 });
    assert.equal(answer.rows[0]?.conversation, 'c-late');
    assert.deepEqual(rounded(answer), rounded(await alone.summary({ ...query, limit: 2 })));
    await reader.close();
    await alone.close();
  });
});
