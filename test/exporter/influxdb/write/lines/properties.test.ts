import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanTag } from '../../../../../exporter/influxdb/write/lines/escaping.ts';
import { attributeOfField, OTHER_VALUES } from '../../../../../exporter/influxdb/usage-schema.ts';
import { InfluxUsageProcessor } from '../../../../../exporter/influxdb/write/influx-usage-processor.ts';
import type { UsageRecord } from '../../../../../src/domain/usage-record.ts';
import { hostileText as text } from '../../../../support/hostile-text.ts';
import { influxRows } from '../../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../../support/servers.ts';
import { logOf, usageRecord } from '../../../../support/usage-logs.ts';

const count = fc.option(fc.maxSafeNat(), { nil: undefined });
const amount = fc.double({ min: 0, max: 1e9, noNaN: true });

/** A value's type is part of its name here: the server keeps the first type of a field. */
const attributes = fc
  .array(
    fc.oneof(
      fc.tuple(
        text.map((name) => `${name} s`),
        text,
      ),
      fc.tuple(
        text.map((name) => `${name} n`),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
      fc.tuple(
        text.map((name) => `${name} b`),
        fc.boolean(),
      ),
    ),
    { maxLength: 4 },
  )
  .map((entries) => Object.fromEntries(entries));

const parts = fc.record(
  {
    service: text,
    operation: text,
    provider: text,
    requestModel: text,
    responseModel: text,
    responseId: text,
    userId: text,
    conversationId: text,
    inputTokens: count,
    outputTokens: count,
    cacheReadTokens: count,
    durationMs: amount,
    costUsd: amount,
    errorType: text,
    attributes,
  },
  { requiredKeys: ['attributes'] },
);

describe('line protocol with arbitrary content and InfluxDB 1.x', () => {
  let server: TestServer;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['usage', 'large'] });
  });
  after(async () => await server?.stop());

  const storedRow = async ({ time }: UsageRecord): Promise<Record<string, unknown>> => {
    const rows = await influxRows(
      server.url,
      'usage',
      `SELECT * FROM llm_usage WHERE time = '${time}'`,
    );
    assert.equal(rows.length, 1);
    return rows[0] ?? {};
  };

  it('gives back any record unchanged, and nothing that was not in it', async () => {
    const processor = new InfluxUsageProcessor({
      url: server.url,
      bucket: 'usage',
      spool: false,
      rollUps: false,
    });
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const present = Object.fromEntries(
          Object.entries(given).filter(([, value]) => value !== undefined),
        ) as Partial<UsageRecord>;
        const record = usageRecord(Date.now(), present);
        processor.onEmit(logOf(record));
        await processor.forceFlush();
        assert.deepEqual(processor.status().dropped, {});
        const row = await storedRow(record);
        const is = (column: string, value: unknown): void => {
          // A zero has no sign in text.
          const unsigned = value === 0 ? 0 : value;
          const expected =
            typeof unsigned === 'string' ? unsigned.toWellFormed() : (unsigned ?? null);
          assert.deepEqual(row[column] ?? null, expected, column);
        };
        is('user', record.userId);
        is('conversation_id', record.conversationId);
        is('response_id', record.responseId);
        is('response_model', record.responseModel);
        is('error_type', record.errorType);
        is('input_tokens', record.inputTokens);
        is('output_tokens', record.outputTokens);
        is('cache_read_tokens', record.cacheReadTokens);
        is('duration_ms', record.durationMs);
        is('cost_usd', record.costUsd);
        is('calls', 1);
        for (const tag of ['service', 'operation', 'provider'] as const) {
          is(tag, cleanTag(record[tag]) === '' ? undefined : cleanTag(record[tag]));
        }
        is(
          'request_model',
          cleanTag(record.requestModel) === record.requestModel ? undefined : record.requestModel,
        );
        const { userId } = record;
        is('user_id', userId === undefined || cleanTag(userId) === userId ? userId : OTHER_VALUES);
        for (const [column, value] of Object.entries(row)) {
          const name = attributeOfField(column, new Set());
          if (name === undefined || value === null) continue;
          const original = Object.keys(record.attributes).find((one) => cleanTag(one) === name);
          is(column, record.attributes[original ?? assert.fail(`${column} was not written`)]);
        }
      }),
      { numRuns: 60 },
    );
    const measurements = await influxRows(server.url, 'usage', 'SHOW MEASUREMENTS');
    assert.deepEqual(measurements, [{ name: 'llm_usage' }]);
    const [sum] = await influxRows(
      server.url,
      'usage',
      'SELECT sum(calls), count(calls) FROM llm_usage',
    );
    assert.equal(sum?.['sum'], sum?.['count']);
    await processor.shutdown();
  });

  it('leaves out a string beyond the limit, counts it, and keeps the record', async () => {
    const processor = new InfluxUsageProcessor({ url: server.url, bucket: 'large', spool: false });
    const long = 'x'.repeat(100_000);
    processor.onEmit(
      logOf(
        usageRecord(Date.now(), {
          userId: long,
          requestModel: long,
          conversationId: 'c',
          inputTokens: 7,
        }),
      ),
    );
    await processor.forceFlush();
    const [row] = await influxRows(server.url, 'large', 'SELECT * FROM llm_usage');
    assert.equal(row?.['input_tokens'], 7);
    assert.equal(row?.['conversation_id'], 'c');
    assert.equal(String(row?.['model']).length, 256);
    assert.equal(row?.['user_id'], OTHER_VALUES);
    assert.deepEqual(processor.status().cleaned, { value_too_long: 2 });
    assert.deepEqual(processor.status().dropped, {});
    await processor.shutdown();
  });
});
