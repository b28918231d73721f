import assert from 'node:assert/strict';
import { onClickHouse } from '../conformance/usage-readers/clickhouse-suite.ts';
import { clickHouse, fillClickHouse, rollUpClickHouse } from '../support/clickhouse.ts';

onClickHouse((suite) => {
  suite('over calls, of which some came twice', 'calls', async (server, records) => {
    await fillClickHouse(server.url, 'calls', records);
    await fillClickHouse(server.url, 'calls', records.slice(1000));
  });

  suite('over roll-ups', 'sums', async (server, records) => {
    await fillClickHouse(server.url, 'sums', records);
    await rollUpClickHouse(server.url, 'sums');
    const made = await clickHouse(server.url, 'SELECT sum(calls) FROM sums.llm_usage_hourly FINAL');
    assert.equal(Number(made), records.length);
  });
});
