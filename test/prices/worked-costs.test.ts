import assert from 'node:assert/strict';
import { INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import type { CallShape } from '../../src/domain/call-shape.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { Prices } from '../../src/prices/prices.ts';
import { anthropicBatchLine } from '../../src/providers/anthropic/batch-line.ts';
import { messages } from '../../src/providers/anthropic/messages.ts';
import type { BatchResult } from '../../src/providers/batch/batch-results.ts';
import { converse } from '../../src/providers/bedrock/converse.ts';
import * as cohere from '../../src/providers/cohere/shapes.ts';
import { googleBatchResults } from '../../src/providers/google/batch-job.ts';
import { embedContent, generateContent } from '../../src/providers/google/shapes.ts';
import { groqUsageObject } from '../../src/providers/groq/usage.ts';
import * as mistral from '../../src/providers/mistral/shapes.ts';
import { openaiBatchLine } from '../../src/providers/openai/batch-line.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import { embeddings } from '../../src/providers/openai/completions.ts';
import { images, transcription } from '../../src/providers/openai/media.ts';
import { responses } from '../../src/providers/openai/responses.ts';
import { usageObject } from '../../src/providers/openai/usage.ts';
import { buildRecord } from '../../src/usage/build-record.ts';
import { usageAsReported } from '../../src/usage/fill-usage.ts';
import { anthropicReplies } from '../fixtures/worked-costs/anthropic.ts';
import { googleReplies } from '../fixtures/worked-costs/google.ts';
import { openaiReplies } from '../fixtures/worked-costs/openai.ts';
import { otherReplies } from '../fixtures/worked-costs/others.ts';
import type { WorkedReply } from '../fixtures/worked-costs/worked-reply.ts';

const REPLIES = [...openaiReplies, ...anthropicReplies, ...googleReplies, ...otherReplies];

const readers: Readonly<Record<string, CallShape>> = {
  'openai chat': chatCompletions({ usageOf: usageObject }),
  'openai responses': responses,
  'openai embeddings': embeddings,
  'openai transcription': transcription,
  'openai images': images,
  'anthropic messages': messages,
  'google generate': generateContent,
  'google embed': embedContent,
  'bedrock converse': converse,
  'cohere chat': cohere.chat,
  'cohere embed': cohere.embed,
  'cohere rerank': cohere.rerank,
  'mistral chat': mistral.chat,
  'mistral conversation': mistral.conversation,
  'mistral transcription': mistral.transcription,
  'groq chat': chatCompletions({ usageOf: groqUsageObject }),
};
const batches: Readonly<Record<string, (reply: unknown) => BatchResult | undefined>> = {
  'openai batch': openaiBatchLine,
  'anthropic batch': anthropicBatchLine,
  'google batch': (job) => googleBatchResults(job).next().value as BatchResult,
};

/** From the provider's reply to the record, through the code of every call. */
function recordOf(worked: WorkedReply, prices: Prices): UsageRecord {
  const result = batches[worked.reader]?.(worked.reply);
  const shape = result?.shape ?? readers[worked.reader];
  assert.ok(shape, worked.reader);
  const reader = shape.reader({ usage: true, output: false, request: worked.request });
  const given = result === undefined ? worked.reply : result.body;
  if (Array.isArray(given)) for (const event of given) reader.event(event);
  else reader.whole(given);
  const reply = reader.result();
  const read = shape.request(worked.request ?? {});
  const ended = {
    provider: worked.provider,
    shape,
    facts: { ...read, model: read.model ?? result?.facts?.model ?? reply.responseModel },
    request: undefined,
    serverAddress: worked.host,
    serverPort: undefined,
    usageContext: {},
    span: trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
    spanIsForeign: false,
    startedAtMs: Date.parse('2026-11-20T12:00:00Z'),
    durationMs: 0,
    timeToFirstChunkMs: undefined,
    chunkGapsMs: [],
    outcome: 'ok',
    errorType: undefined,
    reply: result === undefined ? reply : { ...reply, serviceTier: 'batch' },
    replied: true,
    tokenStatistics: true,
  } as const;
  const filled = usageAsReported(ended, 'missing');
  assert.ok(filled);
  const ids = { id: 'id', time: '2026-11-20T12:00:00.000000000Z' };
  return buildRecord(ended, filled, ids, {
    userIdHashKey: undefined,
    dimensions: [],
    service: () => 'worked',
    priceOf: (record) => prices.price(record),
  });
}

/** In whole nano-dollars, as costs are stored. */
function worked({ lines }: WorkedReply): number {
  return Math.round(
    lines.reduce(
      (sum, [, amount, usd, per, factor = 1]) => sum + ((amount * usd) / per) * factor * 1e9,
      0,
    ),
  );
}

describe('replies whose cost was worked out by hand', () => {
  let prices: Prices;
  before(async () => {
    prices = new Prices();
    await prices.load();
  });

  it('are sixty or more, each with the page that its prices are from', () => {
    assert.ok(REPLIES.length >= 60, String(REPLIES.length));
    for (const { what, source } of REPLIES) {
      assert.match(source.url, /^https:\/\//, what);
      assert.match(source.read, /^202[5-9]-\d\d/, what);
    }
    const names = REPLIES.map(({ provider, what }) => `${provider} ${what}`);
    assert.equal(new Set(names).size, names.length);
  });

  for (const reply of REPLIES) {
    const { provider, what, costUsd, costSource = 'list', missing } = reply;
    it(`${provider}: ${what}`, () => {
      if (costUsd !== undefined) assert.equal(worked(reply), Math.round(costUsd * 1e9), 'by hand');
      const record = recordOf(reply, prices);
      const found = [record.costUsd, record.costSource, record.costMissing];
      assert.deepEqual(
        found,
        costUsd === undefined ? [undefined, undefined, undefined] : [costUsd, costSource, missing],
      );
    });
  }
});
