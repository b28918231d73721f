import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfluxUsageProcessor } from '../../../../exporter/influxdb/write/influx-usage-processor.ts';
import type { InfluxOptions } from '../../../../exporter/influxdb/influx-options.ts';
import { influxRows } from '../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(directory, name)).isFile() && !name.endsWith('destination.json'),
  );
}

describe('InfluxUsageProcessor with InfluxDB 1.x', () => {
  let server: TestServer;
  let directory: string;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['usage', 'timed', 'memory', 'later', 'types'] });
  });
  after(async () => await server?.stop());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'token-meter-usage-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const options = (over: Partial<InfluxOptions> = {}): InfluxOptions => ({
    url: server.url,
    bucket: 'usage',
    spool: { directory },
    ...over,
  });

  it('writes a record and InfluxQL gives every member back', async () => {
    const processor = new InfluxUsageProcessor(options({ tags: { region: 'eu' } }));
    const record = usageRecord(T0, {
      userId: `o'Brien "x", a=b`,
      conversationId: 'line one\nline two\\',
      responseModel: 'gpt-4o-2024-08-06',
      responseId: 'chatcmpl-1',
      timeToFirstChunkMs: 210.5,
      inputTokens: 100,
      outputTokens: 20,
      totalTokens: 120,
      cacheReadTokens: 0,
      tokenSource: 'provider',
      costUsd: 0.000123457,
      attributes: { team: 'search', retries: 2, cached: false },
    });
    processor.onEmit({
      ...logOf(record),
      resource: {
        attributes: { 'service.name': 'chat-service', 'deployment.environment.name': 'prod' },
      },
    });
    await processor.forceFlush();
    const rows = await influxRows(server.url, 'usage', 'SELECT * FROM llm_usage');
    const [row] = rows;
    assert.equal(rows.length, 1);
    const present = Object.fromEntries(
      Object.entries(row ?? {}).filter(([, value]) => value !== null),
    );
    assert.deepEqual(present, {
      time: `${T0 / 1000}${record.time.slice(20, 29)}`,
      region: 'eu',
      environment: 'prod',
      model: 'gpt-4o',
      operation: 'chat',
      outcome: 'ok',
      provider: 'openai',
      service: 'chat-service',
      token_source: 'provider',
      user_id: `o'Brien "x", a=b`,
      calls: 1,
      input_tokens: 100,
      output_tokens: 20,
      total_tokens: 120,
      cache_read_tokens: 0,
      duration_ms: 1200,
      time_to_first_chunk_ms: 210.5,
      cost_usd: 0.000123457,
      user: `o'Brien "x", a=b`,
      conversation_id: 'line one\nline two\\',
      record_id: record.id,
      response_id: 'chatcmpl-1',
      response_model: 'gpt-4o-2024-08-06',
      attr_team: 'search',
      retries: 2,
      cached: false,
    });
    const { state, accepted, delivered, dropped, pending } = processor.status();
    assert.deepEqual(
      { state, accepted, delivered, dropped, pending },
      { state: 'ok', accepted: 1, delivered: 1, dropped: {}, pending: 0 },
    );
    await processor.shutdown();
    assert.deepEqual(filesIn(directory), []);
    processor.onEmit(logOf(usageRecord(T0)));
    assert.equal(processor.status().state, 'closed');
    assert.deepEqual(processor.status().dropped, { closed: 1 });
  });

  it('sends a full batch at once and the rest after the flush interval', async () => {
    const processor = new InfluxUsageProcessor(
      options({ bucket: 'timed', batchSize: 5, flushIntervalMs: 400 }),
    );
    for (let i = 0; i < 5; i++) processor.onEmit(logOf(usageRecord(T0 + i)));
    await until(() => processor.status().delivered === 5);
    processor.onEmit(logOf(usageRecord(T0)));
    await until(() => processor.status().accepted === 6);
    assert.equal(processor.status().delivered, 5);
    await until(() => processor.status().delivered === 6);
    const [count] = await influxRows(server.url, 'timed', 'SELECT count(calls) FROM llm_usage');
    assert.equal(count?.['count'], 6);
    await processor.shutdown();
  });

  it('stores a record whose attribute has another type than before, without it', async () => {
    const processor = new InfluxUsageProcessor(options({ bucket: 'types' }));
    processor.onEmit(logOf(usageRecord(T0, { attributes: { group: 'search', size: 1 } })));
    await processor.forceFlush();
    processor.onEmit(logOf(usageRecord(T0 + 1, { attributes: { group: 7, size: 'L' } })));
    await processor.forceFlush();
    const rows = await influxRows(
      server.url,
      'types',
      'SELECT calls, "group", size FROM llm_usage',
    );
    assert.deepEqual(
      rows.map(({ calls, group, size }) => [calls, group, size]),
      [
        [1, 'search', 1],
        [1, null, null],
      ],
    );
    assert.deepEqual(processor.status().cleaned, { type_conflict: 2 });
    await processor.shutdown();
  });

  it('works without a spool folder', async () => {
    const processor = new InfluxUsageProcessor(options({ bucket: 'memory', spool: false }));
    processor.onEmit(logOf(usageRecord(T0)));
    await processor.shutdown();
    assert.equal(processor.status().delivered, 1);
    assert.deepEqual(filesIn(directory), []);
  });

  it('keeps what a server that is away did not take, and the next start delivers it', async () => {
    const away = new InfluxUsageProcessor(options({ bucket: 'later' }));
    await server.kill();
    for (let i = 0; i < 120; i++) away.onEmit(logOf(usageRecord(T0 + i)));
    await away.forceFlush();
    const { state, accepted, delivered, pending, lastError } = away.status();
    assert.deepEqual([state, accepted, delivered, pending], ['retrying', 120, 0, 120]);
    assert.equal(lastError?.code, 'ECONNREFUSED');
    await away.shutdown();
    assert.equal(filesIn(directory).length, 1);
    await server.restart();
    const next = new InfluxUsageProcessor(options({ bucket: 'later' }));
    await until(() => next.status().delivered === 120);
    const [count] = await influxRows(server.url, 'later', 'SELECT count(calls) FROM llm_usage');
    assert.equal(count?.['count'], 120);
    assert.equal(next.status().adopted, 120);
    await next.shutdown();
    assert.deepEqual(filesIn(directory), []);
  });

  it('refuses wrong options at once, and never shows a secret', () => {
    const make = (over: object) => () => new InfluxUsageProcessor({ ...options(), ...over });
    assert.throws(make({ url: 'influx:8086' }), { code: 'INVALID_OPTION', value: 'influx:8086' });
    assert.throws(make({ bucket: '' }), /bucket must be a name/);
    assert.throws(make({ batchSize: 0 }), /batchSize must be a whole number of at least 1/);
    assert.throws(make({ version: '4' }), { allowed: 'one of auto, 1, 2, 3' });
    assert.throws(make({ spool: { fsync: 'sometimes' } }), /spool\.fsync/);
    assert.throws(make({ tags: { time: 'x' } }), /tags\.time/);
    assert.throws(make({ password: 12345 }), (error: Error) => !error.message.includes('12345'));
  });
});
