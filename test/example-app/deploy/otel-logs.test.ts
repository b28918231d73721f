import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { agree } from '../../conformance/usage-readers/usage-agreement.ts';
import { eventAttributes } from '../../../src/usage/emit/event.ts';
import {
  clickHouse,
  clickHouseTables,
  requireClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';
import { usageRecord } from '../../support/usage-logs.ts';

const SQL = new URL('../../../example-app/deploy/growth/clickhouse.sql', import.meta.url);
const FROM = Date.parse('2026-10-20T00:00:00Z');

/** Of the ClickHouse exporter of the Collector, contrib 0.130: internal/sqltemplates/logs_table.sql */
const OTEL_LOGS = `CREATE TABLE fleet.otel_logs (
  Timestamp DateTime64(9), TraceId String, SpanId String, TraceFlags UInt8, SeverityText LowCardinality(String),
  SeverityNumber UInt8, ServiceName LowCardinality(String), Body String, ResourceSchemaUrl LowCardinality(String),
  ResourceAttributes Map(LowCardinality(String), String), ScopeSchemaUrl LowCardinality(String), ScopeName String,
  ScopeVersion LowCardinality(String), ScopeAttributes Map(LowCardinality(String), String),
  LogAttributes Map(LowCardinality(String), String)
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, Timestamp)`;

describe('the path from the Collector into ClickHouse', () => {
  let server: TestServer;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
  });
  after(async () => await server?.stop());

  it('fills the ledger that the reader shows', async () => {
    await clickHouseTables(server.url, 'fleet');
    await clickHouse(server.url, OTEL_LOGS);
    const view = readFileSync(SQL, 'utf8').replaceAll(/^--.*$/gm, '');
    await clickHouse(
      server.url,
      view
        .replace(
          'EXISTS llm_usage_from_otel_logs TO llm_usage',
          'EXISTS fleet.v TO fleet.llm_usage',
        )
        .replace('FROM otel_logs', 'FROM fleet.otel_logs')
        .replace(';', ''),
    );
    const records = [
      ...mixedRecords(300, FROM, FROM + 86_400_000).map((record) => ({
        ...record,
        // The Collector makes texts of all values; of its own numbers the ledger knows that they are some.
        attributes: Object.fromEntries(
          Object.entries(record.attributes).filter(([name]) => name.startsWith('token_meter.')),
        ),
      })),
      usageRecord(FROM + 90_000_000, {
        team: 'search',
        dimensions: { feature: 'chat', tenant: "o'Brien" },
        cacheWriteTokens: 12,
        agentName: 'planner',
        runId: 'run-1',
        attributes: {
          plan: 'pro',
          'token_meter.advisor.model': 'gpt-4o',
          'token_meter.usage.cache_write_1h_tokens': 7,
          'gen_ai.usage.audio.input_tokens': 3,
        },
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
      }),
    ];
    const rows = records.map((record) => {
      const attributes = eventAttributes(record, ['latest'], true);
      return {
        Timestamp: record.time,
        TraceId: record.traceId ?? '',
        SpanId: record.spanId ?? '',
        ServiceName: record.service,
        ResourceAttributes: { 'deployment.environment.name': 'prod' },
        LogAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [name, String(value)]),
        ),
      };
    });
    const foreign = { ...rows[0], LogAttributes: { 'gen_ai.request.model': 'of another' } };
    const body = [...rows, ...rows.slice(0, 50), foreign]
      .map((row) => JSON.stringify(row))
      .join('\n');
    await clickHouse(server.url, 'INSERT INTO fleet.otel_logs FORMAT JSONEachRow', body);
    const reader = new ClickHouseUsageReader({ url: server.url, database: 'fleet' });
    const page = await reader.records({ limit: 1000 });
    const range = { from: new Date(FROM), to: new Date(FROM + 2 * 86_400_000) };
    const { total } = await reader.summary(range);
    await reader.close();
    assert.deepEqual(page.records.toReversed(), records);
    agree(total, records);
  });
});
