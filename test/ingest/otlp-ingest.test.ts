import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { OtlpIngest, type IngestLedger, type OtlpIngestOptions } from '../../src/ingest/index.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { usageRecordFromLog } from '../../exporter/ledger/usage-event.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const ENDED_NS = `${NOW - 1000}000000`;
const STARTED_NS = `${NOW - 3500}000000`;
const TRACE = 'a'.repeat(32);

describe('OtlpIngest', () => {
  let records: UsageRecord[];
  let ledger: IngestLedger;

  beforeEach(() => {
    records = [];
    ledger = {
      onEmit: (log) => {
        const record = usageRecordFromLog(log);
        assert(record, 'an event that the ledger understands');
        records.push(record);
      },
    };
  });
  const ingest = (options: Partial<OtlpIngestOptions> = {}): OtlpIngest =>
    new OtlpIngest({ ledger, now: () => NOW, ...options });

  describe('requests as these instrumentations sent them', () => {
    for (const [sender, extra] of [
      ['opentelemetry-python', {}],
      ['openllmetry-python', {}],
      ['openinference-python', { responseId: undefined }],
    ] as const) {
      it(`${sender}: two calls and a failed one, each once`, async () => {
        const body = readFileSync(new URL(`../fixtures/otlp/${sender}.pb`, import.meta.url));
        const taken = ingest();
        const counts = await taken.take('traces', body, 'application/x-protobuf');
        assert.deepEqual(counts, { records: 3, duplicates: 0, ignored: 0, refused: 0 });
        const [whole, streamed, failed] = records;
        for (const record of [whole, streamed]) {
          assert.equal(record?.provider, 'openai');
          assert.equal(record?.requestModel, 'gpt-4o-mini');
          assert.equal(record?.inputTokens, 9);
          assert.equal(record?.outputTokens, 36);
          assert.equal(record?.tokenSource, 'provider');
          assert.equal(record?.outcome, 'ok');
          // 9 × 0.15 + 36 × 0.60 dollars a million
          assert.equal(record?.costUsd, 0.00002295);
          assert.equal(record?.costSource, 'list');
          assert((record?.durationMs ?? 0) > 50);
          if (!('responseId' in extra)) assert.match(record?.responseId ?? '', /^chatcmpl-/);
        }
        assert.equal(failed?.requestModel, 'no-such-model-404');
        assert.equal(failed?.outcome, 'error');
        assert.equal(failed?.errorType, 'NotFoundError');
        assert.equal(failed?.totalTokens, undefined);
        assert.equal(failed?.costUsd, undefined);
        assert.match(failed?.service ?? '', /^py-/);
      });

      it(`${sender}: a resend is the same record`, async () => {
        const body = readFileSync(new URL(`../fixtures/otlp/${sender}.pb`, import.meta.url));
        const taken = ingest();
        await taken.take('traces', body, 'application/x-protobuf');
        const again = await taken.take('traces', body, 'application/x-protobuf');
        assert.deepEqual(again, { records: 0, duplicates: 3, ignored: 0, refused: 0 });
        // Another process, or this one after a restart.
        const first = [...records];
        await ingest().take('traces', body, 'application/x-protobuf');
        assert.deepEqual(records.slice(3), first);
      });
    }

    it('openlit-python: two calls and a failed one by their spans, although the events come first', async () => {
      const read = (name: string): Buffer =>
        readFileSync(new URL(`../fixtures/otlp/${name}.pb`, import.meta.url));
      const taken = ingest();
      const events = await taken.take(
        'logs',
        read('openlit-python-logs'),
        'application/x-protobuf',
      );
      assert.deepEqual(events, { records: 0, duplicates: 0, ignored: 2, refused: 0 });
      const spans = await taken.take('traces', read('openlit-python'), 'application/x-protobuf');
      assert.deepEqual(spans, { records: 3, duplicates: 0, ignored: 0, refused: 0 });
      const [whole, streamed, failed] = records;
      for (const record of [whole, streamed]) {
        assert.equal(record?.provider, 'openai');
        assert.equal(record?.requestModel, 'gpt-4o-mini');
        assert.deepEqual([record?.inputTokens, record?.outputTokens], [8, 35]);
        // 8 × 0.15 + 35 × 0.60 dollars a million, not the 0 of a sender that knows no price
        assert.equal(record?.costUsd, 0.0000222);
        assert((record?.durationMs ?? 0) > 50);
      }
      assert.equal(failed?.outcome, 'error');
      assert.equal(failed?.errorType, 'NotFoundError');
      assert.equal(failed?.costUsd, undefined);
    });

    it('no content is in any record', async () => {
      for (const sender of ['openllmetry-python', 'openinference-python']) {
        const body = readFileSync(new URL(`../fixtures/otlp/${sender}.pb`, import.meta.url));
        assert(body.includes('Hello there'), 'the fixture has content');
        await ingest().take('traces', body, 'application/x-protobuf');
      }
      assert.doesNotMatch(JSON.stringify(records), /Hello|offline demo/);
    });
  });

  it('takes user, conversation, team and dimensions from the span, then from the resource', async () => {
    const taken = ingest({
      dimensions: ['feature', 'region'],
      identity: { dimensions: { region: ['cloud.region'] } },
    });
    const span = chatSpan('1', { 'user.id': 'ann', 'session.id': 's1', feature: 'search' });
    await taken.take(
      'traces',
      traces([span], { team: 'research', 'cloud.region': 'eu-1', 'user.id': 'of the resource' }),
      'application/json',
    );
    const [record] = records;
    assert.equal(record?.userId, 'ann');
    assert.equal(record?.conversationId, 's1');
    assert.equal(record?.team, 'research');
    assert.deepEqual(record?.dimensions, { feature: 'search', region: 'eu-1' });
  });

  it('records a call once that a wrapper and its provider report', async () => {
    const client = chatSpan('c1', {}, { parent: 'b1' });
    const between = { ...chatSpan('b1', {}, { parent: 'a1' }), name: 'runnable', attributes: [] };
    const wrapper = { ...chatSpan('a1', {}), endTimeUnixNano: `${NOW - 900}000000` };
    const embedding = chatSpan('e1', { 'gen_ai.operation.name': 'embeddings' }, { parent: 'a1' });
    const taken = ingest();
    // The children end, and are sent, before their parents.
    await taken.take('traces', traces([client, embedding]), 'application/json');
    const counts = await taken.take('traces', traces([wrapper, between]), 'application/json');
    assert.deepEqual(counts, { records: 0, duplicates: 1, ignored: 1, refused: 0 });
    assert.deepEqual(records.map(({ operation }) => operation).toSorted(), ['chat', 'embeddings']);
  });

  it('knows a wrapper by the tree of a request, whatever the times of its spans', async () => {
    const client = { ...chatSpan('c1', {}, { parent: 'b1' }), endTimeUnixNano: `${NOW}000000` };
    const between = { ...chatSpan('b1', {}, { parent: 'a1' }), attributes: [] };
    const counts = await ingest().take(
      'traces',
      traces([chatSpan('a1', {}), between, client]),
      JSON_TYPE,
    );
    assert.deepEqual(counts, { records: 1, duplicates: 1, ignored: 1, refused: 0 });
    const circle = [chatSpan('x', {}, { parent: 'y' }), chatSpan('y', {}, { parent: 'x' })];
    await ingest().take('traces', traces(circle), JSON_TYPE);
  });

  it('tells calls apart whose ids cannot be read, and events of one span with two replies', async () => {
    const taken = ingest();
    const odd = (n: number) => ({
      ...chatSpan('1', { 'gen_ai.response.id': `r${n}` }),
      traceId: 'AAAA+/==',
      spanId: 'BB+/==',
    });
    await taken.take('traces', traces([odd(1), odd(2)]), JSON_TYPE);
    assert.equal(records.length, 2);
    const event = (id: string) => ({
      ...(logOf('gen_ai.client.inference.operation.details', {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'm',
        'gen_ai.response.id': id,
      }) as object),
      traceId: TRACE,
      spanId: 'b'.repeat(16),
    });
    await taken.take('logs', logs([event('e1'), event('e2')]), JSON_TYPE);
    assert.equal(records.length, 4);
  });

  it('gives a span without an end the same id after a restart', async () => {
    const open = { ...chatSpan('1', {}), endTimeUnixNano: '0' };
    await ingest().take('traces', traces([open]), JSON_TYPE);
    await ingest({ now: () => NOW + 60_000 }).take('traces', traces([open]), JSON_TYPE);
    assert.equal(records[0]?.id, records[1]?.id);
  });

  it('records a wrapper whose provider nobody reports', async () => {
    const embedding = chatSpan('e1', { 'gen_ai.operation.name': 'embeddings' }, { parent: 'a1' });
    await ingest().take('traces', traces([chatSpan('a1', {}), embedding]), 'application/json');
    assert.deepEqual(records.map(({ operation }) => operation).toSorted(), ['chat', 'embeddings']);
  });

  it('does not record a reply again that this process metered', async () => {
    const taken = ingest();
    await taken.take('traces', traces([chatSpan('1', { 'gen_ai.response.id': 'r1' })]), JSON_TYPE);
    const [mine] = records;
    assert(mine);
    const other = ingest();
    other.saw(mine);
    const counts = await other.take(
      'traces',
      traces([chatSpan('2', { 'gen_ai.response.id': 'r1' })]),
      JSON_TYPE,
    );
    assert.equal(counts.duplicates, 1);
  });

  it('gives a ledger that threw the call with the next resend, and the others no second time', async () => {
    const body = readFileSync(new URL('../fixtures/otlp/opentelemetry-python.pb', import.meta.url));
    let emitted = 0;
    const failing: IngestLedger = {
      onEmit(log) {
        emitted += 1;
        if (emitted === 2) throw new Error('the disk is full');
        ledger.onEmit(log);
      },
    };
    const taken = ingest({ ledger: failing });
    await assert.rejects(taken.take('traces', body, 'application/x-protobuf'), /disk is full/);
    const again = await taken.take('traces', body, 'application/x-protobuf');
    assert.deepEqual(again, { records: 2, duplicates: 1, ignored: 0, refused: 0 });
    assert.equal(new Set(records.map(({ id }) => id)).size, 3);
    assert.equal(records.length, 3);
  });

  it('takes two replies with one id of a local server for two, where their tokens differ', async () => {
    const taken = ingest();
    const id = { 'gen_ai.response.id': 'chatcmpl-1' };
    await taken.take(
      'traces',
      traces([chatSpan('1', id), chatSpan('2', { ...id, 'gen_ai.usage.output_tokens': 8 })]),
      JSON_TYPE,
    );
    assert.equal(records.length, 2);
  });

  it('leaves out agents, tools, other spans, and spans of this package', async () => {
    const counts = await ingest().take(
      'traces',
      traces([
        chatSpan('1', { 'gen_ai.operation.name': 'invoke_agent' }),
        chatSpan('2', { 'gen_ai.operation.name': 'execute_tool' }),
        { ...chatSpan('3', {}), attributes: [] },
      ]),
      JSON_TYPE,
    );
    assert.equal(counts.ignored, 3);
    const ours = await ingest().take(
      'traces',
      traces([chatSpan('4', {})], {}, 'otel-token-meter'),
      JSON_TYPE,
    );
    assert.equal(ours.ignored, 1);
  });

  it('takes the events of this package in other services as they are, once', async () => {
    const event = logOf('gen_ai.client.inference.operation.details', {
      'token_meter.record_id': '0198-1',
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o-mini',
      'gen_ai.usage.input_tokens': 5,
      'gen_ai.usage.output_tokens': 6,
      'token_meter.outcome': 'ok',
      'token_meter.cost_usd': 0.5,
      'token_meter.cost_source': 'contract',
    });
    const taken = ingest();
    await taken.take('logs', logs([event], { 'service.name': 'billing' }), JSON_TYPE);
    await taken.take('logs', logs([event], { 'service.name': 'billing' }), JSON_TYPE);
    assert.equal(records.length, 1);
    assert.equal(records[0]?.id, '0198-1');
    assert.equal(records[0]?.service, 'billing');
    assert.equal(records[0]?.costUsd, 0.5);
  });

  it('the switches and the clock hold for the events of this package, too', async () => {
    const event = (id: string, time = NOW) => ({
      ...logOf('gen_ai.client.inference.operation.details', {
        'token_meter.record_id': id,
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o-mini',
        'gen_ai.usage.input_tokens': 5,
        'gen_ai.usage.output_tokens': 6,
        'token_meter.cost_usd': 0.5,
        'token_meter.cost_source': 'contract',
      }),
      timeUnixNano: `${time}000000`,
    });
    const taken = ingest({ switches: () => ({ enabled: true, tokenStatistics: false }) });
    const late = event('0198-3', NOW + 2 * 86_400_000);
    const counts = await taken.take('logs', logs([event('0198-2'), late]), JSON_TYPE);
    assert.deepEqual(counts, { records: 1, duplicates: 0, ignored: 0, refused: 1 });
    assert.equal(records[0]?.requestModel, 'gpt-4o-mini');
    assert.equal(records[0]?.totalTokens, undefined);
    assert.equal(records[0]?.costUsd, undefined);
  });

  it('events that share a large resource take neither time nor memory for each', async () => {
    const resource = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`name-${i}`, 'x']));
    const events = Array.from({ length: 2000 }, (_, i) => logOf('claude_code.api_request', { i }));
    const taken = ingest({ ledger: { onEmit: () => undefined } });
    const before = performance.now();
    const { records: count } = await taken.take('logs', logs(events, resource), JSON_TYPE);
    assert.equal(count, 2000);
    // Some 100 ms; with the resource in the key of each, 20 s.
    assert.ok(performance.now() - before < 3000);
  });

  it('Claude Code: input with its cached parts, the price of the list, errors', async () => {
    const common = {
      'session.id': 's9',
      'user.email': 'ann@example.com',
      model: 'claude-sonnet-4-5',
    };
    const request = logOf('claude_code.api_request', {
      ...common,
      input_tokens: '10',
      output_tokens: 20,
      cache_read_tokens: 1000,
      cache_creation_tokens: 100,
      cost_usd: 9,
      duration_ms: 1234,
    });
    const failed = logOf('claude_code.api_error', {
      ...common,
      status_code: '529',
      duration_ms: 5,
    });
    await ingest().take('logs', logs([request, failed]), JSON_TYPE);
    const [call, error] = records;
    assert.equal(call?.provider, 'anthropic');
    assert.equal(call?.inputTokens, 1110);
    assert.equal(call?.cacheReadTokens, 1000);
    assert.equal(call?.cacheWriteTokens, 100);
    assert.equal(call?.durationMs, 1234);
    assert.equal(call?.userId, 'ann@example.com');
    assert.equal(call?.conversationId, 's9');
    assert.equal(call?.agentName, 'claude-code');
    assert.equal(call?.costSource, 'list');
    // 10 × 3 + 1000 × 0.30 + 100 × 3.75 + 20 × 15 dollars a million
    assert.equal(call?.costUsd, 0.001005);
    assert.equal(error?.outcome, 'error');
    assert.equal(error?.errorType, '529');
  });

  it('Claude Code: nothing where the process that started it records its calls', async () => {
    const resource = { 'token_meter.metered': 'true', 'service.name': 'claude-code' };
    const request = logOf('claude_code.api_request', {
      model: 'claude-sonnet-4-5',
      input_tokens: 1,
    });
    const counts = await ingest().take('logs', logs([request], resource), JSON_TYPE);
    assert.deepEqual(counts, { records: 0, duplicates: 1, ignored: 0, refused: 0 });
    // A program that one of its tools has started.
    const spans = traces([chatSpan('s1', {})], resource);
    assert.equal((await ingest().take('traces', spans, JSON_TYPE)).records, 1);
  });

  it('Claude Code: its own figure where no price is known, marked as an estimate', async () => {
    const request = logOf('claude_code.api_request', {
      model: 'claude-of-tomorrow-9',
      input_tokens: 1,
      output_tokens: 2,
      cost_usd: 0.25,
    });
    await ingest().take('logs', logs([request]), JSON_TYPE);
    assert.equal(records[0]?.costUsd, 0.25);
    assert.equal(records[0]?.costSource, 'estimated');
  });

  it('Codex: the end of a response, not its other events', async () => {
    const event = (kind: string) =>
      logOf('', {
        'event.name': 'codex.sse_event',
        'event.kind': kind,
        'conversation.id': 'c7',
        model: 'gpt-5',
        input_token_count: '100',
        cached_token_count: '60',
        output_token_count: '30',
        reasoning_token_count: '10',
      });
    const counts = await ingest().take(
      'logs',
      logs([event('response.created'), event('response.completed')]),
      JSON_TYPE,
    );
    assert.deepEqual(counts, { records: 1, duplicates: 0, ignored: 1, refused: 0 });
    assert.equal(records[0]?.inputTokens, 100);
    assert.equal(records[0]?.cacheReadTokens, 60);
    assert.equal(records[0]?.reasoningTokens, 10);
    assert.equal(records[0]?.conversationId, 'c7');
  });

  it('AI SDK 4 to 6: the call of each step, not the sum around it', async () => {
    const step = {
      ...chatSpan('s1', {}, { parent: 'p1' }),
      name: 'ai.streamText.doStream',
      attributes: attributesOf({
        'ai.operationId': 'ai.streamText.doStream',
        'ai.model.provider': 'openai.chat',
        'ai.model.id': 'gpt-4o-mini',
        'gen_ai.system': 'openai.chat',
        'gen_ai.request.model': 'gpt-4o-mini',
        'ai.usage.promptTokens': 11,
        'ai.usage.completionTokens': 12,
        'ai.response.msToFirstChunk': 321,
        'ai.telemetry.metadata.userId': 'ben',
      }),
    };
    const around = {
      ...chatSpan('p1', {}),
      name: 'ai.streamText',
      attributes: attributesOf({ 'ai.operationId': 'ai.streamText', 'ai.usage.promptTokens': 11 }),
    };
    const counts = await ingest().take('traces', traces([around, step]), JSON_TYPE);
    assert.deepEqual(counts, { records: 1, duplicates: 0, ignored: 1, refused: 0 });
    assert.equal(records[0]?.provider, 'openai');
    assert.equal(records[0]?.inputTokens, 11);
    assert.equal(records[0]?.timeToFirstChunkMs, 321);
    assert.equal(records[0]?.userId, 'ben');
  });

  it('accepts metrics and records nothing of them', async () => {
    const none = { records: 0, duplicates: 0, ignored: 0, refused: 0 };
    assert.deepEqual(await ingest().take('metrics', Buffer.from('{}'), JSON_TYPE), none);
    assert.deepEqual(
      await ingest().take('metrics', Buffer.alloc(0), 'application/x-protobuf'),
      none,
    );
  });

  it('refuses a call of the future, and says which bodies it cannot read', async () => {
    const later = { ...chatSpan('1', {}), endTimeUnixNano: `${NOW + 2 * 86_400_000}000000` };
    assert.equal((await ingest().take('traces', traces([later]), JSON_TYPE)).refused, 1);
    for (const [body, type] of [
      ['{', JSON_TYPE],
      ['no protobuf at all', 'application/x-protobuf'],
    ] as const) {
      await assert.rejects(ingest().take('traces', Buffer.from(body), type), {
        code: 'INVALID_TELEMETRY',
      });
    }
  });

  it('obeys the switches', async () => {
    let enabled = false;
    const taken = ingest({ switches: () => ({ enabled, tokenStatistics: false }) });
    await taken.take('traces', traces([chatSpan('1', {})]), JSON_TYPE);
    assert.equal(records.length, 0);
    enabled = true;
    await taken.take('traces', traces([chatSpan('2', {})]), JSON_TYPE);
    assert.equal(records.length, 1);
    assert.equal(records[0]?.totalTokens, undefined);
    assert.equal(records[0]?.costUsd, undefined);
    assert.equal(records[0]?.requestModel, 'gpt-4o-mini');
  });

  it('survives whatever shape the JSON has', async () => {
    for (const data of [
      null,
      [],
      5,
      { resourceSpans: 5 },
      {
        resourceSpans: [
          null,
          { scopeSpans: [{ spans: [null, 7, { attributes: [null, { key: 'x' }] }] }] },
        ],
      },
    ]) {
      await ingest().take('traces', Buffer.from(JSON.stringify(data)), JSON_TYPE);
      await ingest().take('logs', Buffer.from(JSON.stringify(data)), JSON_TYPE);
    }
    assert.equal(records.length, 0);
  });
});

const JSON_TYPE = 'application/json';

type Attributes = Readonly<Record<string, string | number>>;

function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
  }));
}

function chatSpan(
  id: string,
  attributes: Attributes,
  { parent = '' }: { readonly parent?: string } = {},
) {
  const spanId = (given: string): string =>
    given === '' ? '' : Buffer.from(given.padEnd(8, '.')).toString('hex');
  return {
    traceId: TRACE,
    spanId: spanId(id),
    parentSpanId: spanId(parent),
    name: 'chat gpt-4o-mini',
    startTimeUnixNano: STARTED_NS,
    endTimeUnixNano: ENDED_NS,
    attributes: attributesOf({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o-mini',
      'gen_ai.usage.input_tokens': 9,
      'gen_ai.usage.output_tokens': 36,
      ...attributes,
    }),
  };
}

function traces(spans: readonly object[], resource: Attributes = {}, scope = 'some.sdk'): Buffer {
  return Buffer.from(
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: attributesOf(resource) },
          scopeSpans: [{ scope: { name: scope }, spans }],
        },
      ],
    }),
  );
}

function logOf(eventName: string, attributes: Attributes): object {
  return { eventName, timeUnixNano: ENDED_NS, attributes: attributesOf(attributes) };
}

function logs(logRecords: readonly object[], resource: Attributes = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: attributesOf(resource) },
          scopeLogs: [{ scope: { name: 'x' }, logRecords }],
        },
      ],
    }),
  );
}
