import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseLayout } from '../../exporter/clickhouse/schema/layout.ts';
import { MAX_CELLS, ROLL_UPS } from '../../exporter/clickhouse/schema/roll-ups.ts';
import { setUpClickHouse } from '../../exporter/clickhouse/schema/set-up.ts';
import { rollUpQuery } from '../../exporter/clickhouse/schema/roll-up-query.ts';
import { changesQuery } from '../../exporter/clickhouse/schema/statements.ts';
import { ROW_SETTINGS } from '../../exporter/clickhouse/write/row-inserts.ts';
import { rowOf } from '../../exporter/clickhouse/stored-row.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { freePort, launch, temporaryFolder, type TestServer } from './servers.ts';

const ENGINE = new URL('../clickhouse-engine/', import.meta.url).pathname;

/**
 * Call first in a `before` hook. Skips the suite if the engine is not installed (`npm install --no-package-lock --prefix
 * test/clickhouse-engine`), or fails it with REQUIRE_SERVERS=1, as in CI.
 */
export function requireClickHouse(test: Mocha.Context): void {
  if (existsSync(join(ENGINE, 'node_modules/chdb'))) return;
  if (process.env['REQUIRE_SERVERS'] === '1') {
    throw new Error(
      'test/clickhouse-engine is not installed and REQUIRE_SERVERS=1 forbids skipping',
    );
  }
  test.skip();
}

/** A real ClickHouse, with a login if one is given. The database of `url` is `llm`, and does not exist yet. */
export async function startClickHouse({ login }: { login?: string } = {}): Promise<TestServer> {
  const directory = temporaryFolder('clickhouse');
  const port = await freePort();
  const server = await launch({
    command: process.execPath,
    args: [join(ENGINE, 'server.mjs'), 'data', `${port}`, ...(login === undefined ? [] : [login])],
    port,
    directory,
    ready: async () => (await fetch(`http://127.0.0.1:${port}/ping`)).ok,
  });
  // The engine locks its folder until its process is gone.
  return Object.defineProperty(server, 'stop', {
    value: async () => {
      await server.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

/** Makes the tables. */
export async function clickHouseTables(
  url: string,
  database: string,
  layout: Omit<ClickHouseLayout, 'database'> = {},
): Promise<void> {
  await setUpClickHouse({ url, database, ...layout });
}

/** Executes a statement and resolves with the text of the answer. */
export async function clickHouse(
  url: string,
  query: string,
  body = '',
  login?: string,
): Promise<string> {
  const parameters = new URLSearchParams({
    query,
    ...Object.fromEntries(
      Object.entries(ROW_SETTINGS).map(([name, value]) => [name, String(value)]),
    ),
  });
  const response = await fetch(`${url}/?${parameters.toString()}`, {
    method: 'POST',
    body,
    headers:
      login === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Inserts records as they are. */
export async function fillClickHouse(
  url: string,
  database: string,
  records: readonly UsageRecord[],
): Promise<void> {
  const body = records.map((record) => `${JSON.stringify(rowOf(record))}\n`).join('');
  await clickHouse(url, `INSERT INTO ${database}.llm_usage FORMAT JSONEachRow`, body);
}

/**
 * Makes all roll-ups as the views of the server do, as if the calls had rested for an hour and the sums had been made
 * 20 minutes ago: what comes afterwards is late.
 */
export async function rollUpClickHouse(url: string, database: string): Promise<void> {
  await restClickHouse(url, database);
  await makeClickHouseRollUps(url, database);
}

/** As if all calls had been inserted an hour ago. From then on the server makes no roll-ups by itself. */
export async function restClickHouse(
  url: string,
  database: string,
  minutesAgo = 60,
): Promise<void> {
  const ago = (text: string, minutes: number): string =>
    text.replaceAll("now64(3, 'UTC')", `(now64(3, 'UTC') - INTERVAL ${minutes} MINUTE)`);
  const cells = `${database}.llm_usage_cells`;
  // A refresh that looks for due cells twice must not see two states of the marks, and what it makes has to settle.
  for (const { table } of ROLL_UPS) {
    await clickHouse(url, `SYSTEM STOP VIEW ${database}.${table}_refresh`);
  }
  await clickHouse(url, `TRUNCATE TABLE ${cells}`);
  await clickHouse(
    url,
    `INSERT INTO ${cells} (roll_up, shard, cell, changed, made) ${ago(changesQuery({ database }), minutesAgo)}`,
  );
}

/** Makes the roll-ups that are due, of so many days at most. */
export async function makeClickHouseRollUps(
  url: string,
  database: string,
  days = MAX_CELLS,
): Promise<void> {
  for (const rollUp of ROLL_UPS) {
    const cells = Math.min(MAX_CELLS, rollUp.unit === 'hour' ? 24 * days : days);
    const query = rollUpQuery({ database }, rollUp)
      .replaceAll("now64(3, 'UTC') AS made", "now64(3, 'UTC') - INTERVAL 20 MINUTE AS made")
      .replaceAll(`LIMIT ${MAX_CELLS}`, `LIMIT ${cells}`);
    // By name, as a view inserts: a table that was brought up to date has other places.
    const described = await clickHouse(url, `DESCRIBE (${query})`);
    const columns = described.split('\n').flatMap((line) => line.split('\t')[0] || []);
    await clickHouse(
      url,
      `INSERT INTO ${database}.${rollUp.table} (${columns.join(', ')}) ${query}`,
    );
  }
}
