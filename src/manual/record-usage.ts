import { REMEMBERED_MS } from '../call/recent-calls.ts';
import { soundUsage } from '../context.ts';
import { quietly, warnOnce } from '../host/quietly.ts';
import { callMeterByHand } from '../metering-in-force.ts';
import type { CallShape } from '../domain/call-shape.ts';
import type { ReplyReader } from '../domain/reply-reader.ts';
import { idFrom } from '../domain/id-from.ts';
import type { UsageAttributeValue, UsageRecord } from '../domain/usage-record.ts';
import { countableMessages } from './given-messages.ts';
import { givenUsage } from './given-usage.ts';

/** A call that is over, as its caller reports it. */
export interface RecordUsageInput {
  readonly model: string;
  /** `gen_ai.provider.name`. @default 'unknown' */
  readonly provider?: string | undefined;
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly team?: string | undefined;
  /** Values of the configured dimensions, by name. */
  readonly dimensions?: Readonly<Record<string, string | undefined>> | undefined;
  /** Chat messages that were sent, for counting where `inputTokens` is not given. */
  readonly messages?: readonly unknown[] | string | undefined;
  /** What was answered, for counting where `outputTokens` is not given. */
  readonly responseText?: string | undefined;
  /** Cached tokens included. */
  readonly inputTokens?: number | undefined;
  /** Reasoning included. */
  readonly outputTokens?: number | undefined;
  /** Part of the input: read from the provider's prompt cache. */
  readonly cacheReadTokens?: number | undefined;
  /** Part of the input: written to it. */
  readonly cacheWriteTokens?: number | undefined;
  /** Part of the output. */
  readonly reasoningTokens?: number | undefined;
  /** @default unknown: 0 in the record, and in no percentile or metric */
  readonly executionTimeMs?: number | undefined;
  /** End of the call: a Date, milliseconds since 1970, or RFC 3339. @default now */
  readonly timestamp?: Date | number | string | undefined;
  /** Id the provider gave the reply. */
  readonly responseId?: string | undefined;
  /** Class or code of a failure; the record's outcome is `error` then. */
  readonly errorType?: string | undefined;
  /** Extra tags and fields. */
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>> | undefined;
}

const UNREAD: ReplyReader = {
  whole: () => undefined,
  event: () => undefined,
  result: () => ({ closed: true, outputs: [] }),
};

const SHAPE: CallShape = {
  operation: 'chat',
  request: () => ({}),
  reader: () => UNREAD,
  countable: countableMessages,
};

/**
 * Records one call by hand. Tokens that are not given are counted from `messages` and `responseText`.
 * Resolves with the record, or with undefined while metering is off. Never throws and never rejects.
 */
export async function recordUsage(input: RecordUsageInput): Promise<UsageRecord | undefined> {
  return await quietly('recording usage', () => record(input));
}

function record(input: RecordUsageInput): Promise<UsageRecord | undefined> | undefined {
  const calls = callMeterByHand();
  if (calls === undefined || typeof input !== 'object' || input === null) return undefined;
  const { responseText } = input;
  return calls.finished(
    {
      provider: idFrom(input.provider) ?? 'unknown',
      shape: SHAPE,
      byHand: true,
      request: { messages: input.messages },
      model: idFrom(input.model),
      usageContext: soundUsage({
        userId: input.userId,
        conversationId: input.conversationId,
        team: input.team,
        dimensions: input.dimensions,
        attributes: input.attributes,
      }),
    },
    {
      endedAtMs: endOf(input.timestamp),
      durationMs: durationOf(input.executionTimeMs),
      reply: {
        usage: givenUsage(input),
        responseId: idFrom(input.responseId),
        closed: true,
        outputs:
          typeof responseText === 'string' && responseText !== '' ? [{ text: responseText }] : [],
      },
      outcome: input.errorType === undefined ? 'ok' : 'error',
      errorType: input.errorType,
      sinceMs: calls.nowMs() - REMEMBERED_MS,
    },
  );
}

function endOf(timestamp: Date | number | string | undefined): number {
  if (timestamp === undefined || timestamp === null) return Date.now();
  const ms = new Date(timestamp).getTime();
  if (Number.isFinite(ms)) return ms;
  warnOnce('record timestamp', 'recordUsage was given a timestamp that is no date; now is taken');
  return Date.now();
}

function durationOf(ms: number | undefined): number {
  return typeof ms === 'number' && Number.isFinite(ms) && ms > 0 ? ms : 0;
}
