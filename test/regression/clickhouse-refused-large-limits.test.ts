import assert from 'node:assert/strict';
import { withoutValues } from '../../exporter/clickhouse/exception.ts';
import { ClickHouseUsageReader } from '../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import {
  clickHouse,
  clickHouseTables,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import type { TestServer } from '../support/servers.ts';

const START_MS = Date.parse('2026-10-01T10:00:00Z');
const USERS = 45_000;
const LIMIT = 42_000;

describe('tens of thousands of named users', function () {
  let server: TestServer;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
    await clickHouseTables(server.url, 'llm');
    // User n has n + 1 tokens.
    await clickHouse(
      server.url,
      `INSERT INTO llm.llm_usage (time, record_id, service, operation, provider, model, user, conversation, input_tokens,
         output_tokens, total_tokens, token_source, outcome)
       SELECT fromUnixTimestamp64Milli(toInt64(${START_MS} + number * 100), 'UTC'), toString(number), 's', 'chat', 'p', 'm',
         concat('user-with-a-long-name-', toString(number)), 'c', number, 1, number + 1, 'provider', 'ok' FROM numbers(${USERS})`,
    );
    await rollUpClickHouse(server.url, 'llm');
  });
  after(async () => await server?.stop());

  for (const groupBy of [['user'], ['user', 'conversation']] as const) {
    it(`are answered by ${groupBy.join(' and ')}`, async () => {
      const reader = new ClickHouseUsageReader({ url: server.url, database: 'llm' });
      try {
        const from = new Date(START_MS);
        const to = new Date(START_MS + USERS * 100);
        const { rows, total } = await reader.summary({ from, to, groupBy, limit: LIMIT });
        assert.equal(rows.length, LIMIT + 1);
        assert.equal(total.totalTokens, (USERS * (USERS + 1)) / 2);
        for (const [place, row] of rows.slice(0, LIMIT).entries()) {
          assert.equal(row.totalTokens, USERS - place);
          assert.equal(row.user, `user-with-a-long-name-${USERS - place - 1}`);
        }
        const left = USERS - LIMIT;
        assert.equal(rows.at(-1)?.totalTokens, (left * (left + 1)) / 2);
      } finally {
        await reader.close();
      }
    });
  }
});

describe('a message of ClickHouse', () => {
  it('has no part of a statement that is cut within its values', () => {
    for (const [message, expected] of [
      [
        String.raw`Max query size exceeded: Syntax error: failed at position 16 (''[\'secret\',\'sec`,
        'Max query size exceeded: Syntax error: failed at position 16',
      ],
      [String.raw`Bad value \'secret\', \'sec (BAD_ARGUMENTS)`, 'Bad value … (BAD_ARGUMENTS)'],
      ["Bad value 'secret", 'Bad value …'],
      [
        `Table llm.x doesn't exist: 'secret', "secret" (UNKNOWN_TABLE)`,
        `Table llm.x doesn't exist: '…', "…" (UNKNOWN_TABLE)`,
      ],
      [String.raw`Cannot parse 'sec\'ret' at ${'`user`'}`, "Cannot parse '…' at `user`"],
    ] as const) {
      assert.equal(withoutValues(message), expected);
    }
  });
});
