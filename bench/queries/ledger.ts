import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { randomOf } from '../../test/support/usage-ledger.ts';

const DAY_MS = 86_400_000;
export const DAYS = 90;
export const END: number = Date.parse('2026-11-20T10:20:30Z');
const BATCH = 10_000;
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'mistral-large'];

/** Many users, 5 models, 2 services, conversations of about 6 calls. */
function* ledger(count: number, users: number): Generator<UsageRecord> {
  const random = randomOf(1);
  const start = END - DAYS * DAY_MS;
  for (let index = 0; index < count; index++) {
    const at = new Date(start + (index / count) * DAYS * DAY_MS).toISOString().slice(0, -1);
    const user = Math.floor(random() ** 2 * users);
    const inputTokens = Math.floor(random() * 4000);
    const outputTokens = Math.floor(random() * 800);
    const isFailed = random() < 0.02;
    yield {
      id: `record-${String(index).padStart(10, '0')}`,
      time: `${at}${String(index % 1_000_000).padStart(6, '0')}Z`,
      service: index % 4 === 0 ? 'batch' : 'chat',
      operation: 'chat',
      provider: 'openai',
      requestModel: MODELS[Math.floor(random() ** 2 * MODELS.length)] ?? 'gpt-4o',
      userId: `user-${String(user).padStart(5, '0')}`,
      conversationId: `c-${user}-${Math.floor(index / (6 * users))}`,
      durationMs: Math.round(200 + random() ** 4 * 30_000),
      timeToFirstChunkMs: Math.round(100 + random() * 900),
      outcome: isFailed ? 'error' : 'ok',
      ...(!isFailed && {
        inputTokens,
        outputTokens,
        totalTokens: inputTokens + outputTokens,
        cacheReadTokens: Math.floor(inputTokens / 4),
        tokenSource: 'provider' as const,
        costUsd: (inputTokens * 2500 + outputTokens * 10_000) / 1e9,
      }),
      attributes: {},
    };
  }
}

/** In batches of a write. */
export function* batches(count: number, users: number): Generator<UsageRecord[]> {
  let batch: UsageRecord[] = [];
  for (const record of ledger(count, users)) {
    batch.push(record);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
