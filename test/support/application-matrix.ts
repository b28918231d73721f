import assert from 'node:assert/strict';
import { SqliteUsageReader } from '../../exporter/index.ts';
import type { UsageRecord } from '../../src/index.ts';
import { conversePlain, converseStream } from './wire/bedrock.ts';
import { chatPlain, chatStream } from './wire/openai-chat.ts';
import { startWireServer } from './wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };

/** What the programs of `application-programs.ts` import. */
export const MATRIX_PACKAGES = [
  'openai@7',
  '@aws-sdk/client-bedrock-runtime@3',
  'ai@7',
  '@ai-sdk/openai@4',
  '@opentelemetry/sdk-node@^0.301.0',
  '@opentelemetry/api@~1.10.0',
] as const;

const GPT = {
  provider: 'openai',
  requestModel: 'gpt-4o',
  responseModel: WIRE.model,
  responseId: 'chatcmpl-1',
  inputTokens: 18,
  outputTokens: 9,
  costUsd: 0.000135,
};
const CLAUDE = {
  provider: 'aws.bedrock',
  requestModel: 'anthropic.claude-3-haiku-20240307-v1:0',
  inputTokens: 32,
  outputTokens: 9,
  cacheReadTokens: 15,
  cacheWriteTokens: 5,
};
/** The records of the six calls, in their order. */
export const ALL: readonly Partial<UsageRecord>[] = [GPT, GPT, CLAUDE, CLAUDE, GPT, GPT];
/** Those of the AI SDK, which need no import to be seen. */
export const OF_AI_SDK: readonly Partial<UsageRecord>[] = [GPT, GPT];

export interface Providers {
  /** Where a program finds them. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts over, for the calls of one program. */
  play(): void;
  close(): Promise<void>;
}

export async function startProviders(): Promise<Providers> {
  const [openai, bedrock] = await Promise.all([startWireServer(), startWireServer('http2')]);
  return {
    env: { OPENAI_BASE_URL: openai.url, OPENAI_API_KEY: 'test', BEDROCK_URL: bedrock.url },
    play() {
      openai.play(chatPlain(WIRE), chatStream(WIRE), chatPlain(WIRE), chatStream(WIRE));
      bedrock.play(conversePlain, converseStream);
    },
    async close() {
      await Promise.all([openai.close(), bedrock.close()]);
    },
  };
}

/** Oldest first. Rejects when there is no ledger. */
export async function ledgerRecords(path: string): Promise<readonly UsageRecord[]> {
  const reader = new SqliteUsageReader({ path });
  try {
    return (await reader.records({})).records.toReversed();
  } finally {
    await reader.close();
  }
}

export function assertRecords(
  found: readonly UsageRecord[],
  expected: readonly Partial<UsageRecord>[],
): void {
  assert.deepEqual(
    found.map(({ requestModel }) => requestModel),
    expected.map(({ requestModel }) => requestModel),
  );
  for (const [at, record] of found.entries()) {
    assert.partialDeepStrictEqual(record, {
      ...expected[at],
      userId: 'alice',
      conversationId: 'c-1',
      operation: 'chat',
      outcome: 'ok',
      tokenSource: 'provider',
    });
  }
}
