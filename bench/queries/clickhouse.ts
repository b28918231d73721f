import { existsSync } from 'node:fs';
import { ClickHouseUsageReader } from '../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { ROLL_UPS } from '../../exporter/clickhouse/schema/roll-ups.ts';
import type { UsageReader } from '../../exporter/ledger/usage-query.ts';
import { DAYS } from './ledger.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  makeClickHouseRollUps,
  restClickHouse,
  startClickHouse,
} from '../../test/support/clickhouse.ts';

const DATABASE = 'llm';
const STEP = 5_000_000;
/** Of a hundred million calls, a step has two million sums of conversations, and the engine stays below 2.5 GB. */
const DAYS_AT_ONCE = 10;

export const hasClickHouse: boolean = existsSync(
  new URL('../../test/clickhouse-engine/node_modules/chdb', import.meta.url),
);

/** The calls of the benchmark, or as many that the server makes itself. */
export type Filling =
  | { readonly batches: Iterable<readonly UsageRecord[]> }
  | {
      readonly generated: number;
      readonly users: number;
      readonly endMs: number;
      readonly days: number;
    };

export async function openClickHouse(filling: Filling): Promise<{
  readonly name: string;
  readonly pid: number | undefined;
  readonly open: () => UsageReader;
  close(): Promise<void>;
}> {
  const server = await startClickHouse();
  await clickHouseTables(server.url, DATABASE);
  const ask = async (sql: string): Promise<string> => (await clickHouse(server.url, sql)).trim();
  const start = performance.now();
  const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);
  if ('batches' in filling) {
    for (const batch of filling.batches) await fillClickHouse(server.url, DATABASE, batch);
  } else {
    for (let first = 0; first < filling.generated; first += STEP) {
      await ask(generatedInsert(filling, first));
    }
  }
  const filled = seconds(start);
  const rolling = performance.now();
  await restClickHouse(server.url, DATABASE);
  for (let day = 0; day <= DAYS; day += DAYS_AT_ONCE) {
    await makeClickHouseRollUps(server.url, DATABASE, DAYS_AT_ONCE);
  }
  // The server does so an hour later.
  for (const { table } of ROLL_UPS) await ask(`OPTIMIZE TABLE ${DATABASE}.${table} FINAL`);
  const rolled = seconds(rolling);
  const version = await ask('SELECT version()');
  const bytes = await ask(
    `SELECT formatReadableSize(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = '${DATABASE}'`,
  );
  console.log(
    `ClickHouse ${version} (chdb): filled in ${filled} s, rolled up in ${rolled} s, ${bytes}`,
  );
  return {
    name: 'ClickHouse',
    pid: server.process.pid,
    open: () => new ClickHouseUsageReader({ url: server.url, database: DATABASE }),
    close: async () => await server.stop(),
  };
}

/** Five million calls as the benchmark's own are, by the random numbers of the server. */
function generatedInsert(
  { generated, users, endMs, days }: Exclude<Filling, { batches: unknown }>,
  first: number,
): string {
  const startMs = endMs - days * 86_400_000;
  const random = (seed: number): string => `(rand(${seed}) / 4294967296)`;
  return `INSERT INTO ${DATABASE}.llm_usage (time, record_id, service, operation, provider, model, user, conversation,
      duration_ms, time_to_first_chunk_ms, outcome, input_tokens, output_tokens, total_tokens, cache_read_tokens,
      token_source, cost_nanos, cost_source)
    SELECT fromUnixTimestamp64Nano(toInt64(${startMs}) * 1000000
        + toInt64(number / ${generated} * ${days * 86_400_000}) * 1000000 + number % 1000000, 'UTC'),
      concat('record-', leftPad(toString(number), 10, '0')),
      if(number % 4 = 0, 'batch', 'chat'), 'chat', 'openai',
      ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'mistral-large'][
        1 + toUInt8(pow(${random(1)}, 2) * 5)],
      concat('user-', toString(toUInt32(pow(${random(2)}, 2) * ${users}) AS u)),
      concat('c-', toString(u), '-', toString(intDiv(number, ${6 * users}))),
      round(200 + pow(${random(3)}, 4) * 30000), round(100 + ${random(4)} * 900),
      if(rand(5) % 50 = 0, 'error', 'ok') AS how,
      if(how = 'ok', rand(6) % 4000, NULL) AS i, if(how = 'ok', rand(7) % 800, NULL) AS o, i + o, intDiv(i, 4),
      if(how = 'ok', 'provider', ''), i * 2500 + o * 10000, if(how = 'ok', 'list', '')
    FROM numbers(${first}, ${Math.min(STEP, generated - first)})`;
}
