import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { usageRecord } from './usage-logs.ts';

/** A small deterministic generator, so that failures are reproducible. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const MODELS = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-4o-mini'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['gcp.gemini', 'gemini-2.5-flash'],
] as const;
const SERVICES = ['chat-service', 'batch "night"'] as const;

const TEAMS = ['search', "o'Brien & co", 'a b,c=d', '团队', '(other)', undefined] as const;
const FEATURES = ['summary', 'ä"\\', 'x'.repeat(256), '(other)', 'two\nlines', undefined] as const;

/** Beside the random numbers of the other members, which stay as they are. */
function teamOf(index: number): Partial<UsageRecord> {
  const team = TEAMS[(index * 7) % TEAMS.length];
  const feature = FEATURES[Math.floor(index / 5) % FEATURES.length];
  const dimensions = {
    ...(feature !== undefined && { feature }),
    ...(index % 3 === 0 && { tenant: `t-${index % 9}` }),
  };
  return {
    ...(team !== undefined && { team }),
    ...(Object.keys(dimensions).length > 0 && { dimensions }),
    ...(index % 10 < 4 && runOf(index)),
  };
}

/** What few calls have: searches of a chat, images, seconds with a fraction. */
function unitsOf(index: number): Record<string, number> {
  return {
    ...(index % 9 === 2 && { 'token_meter.usage.web_searches': 1 + (index % 4) }),
    ...(index % 13 === 4 && { 'token_meter.usage.generated_images': 1 + (index % 3) }),
    ...(index % 31 === 6 && { 'token_meter.usage.audio_input_seconds': (1 + index) / 7 }),
    // No amount: a sum with it would lose all others.
    ...(index % 97 === 11 && { 'token_meter.usage.pages': 1e308 }),
  };
}

/** A run of forty calls: its agent, and a tool of it with a sub-agent. */
function runOf(index: number): Partial<UsageRecord> {
  const run = Math.floor(index / 100);
  const guide = { kind: 'agent', name: 'guide', id: `a-${run}` } as const;
  const begun = { agentName: 'guide', runId: `run "${run}"`, steps: [guide] };
  if (index % 10 < 2) return begun;
  const tool = { kind: 'tool', name: "look'up, 查", id: `t-${index % 20}` } as const;
  if (index % 10 < 3) return { ...begun, toolName: tool.name, steps: [guide, tool] };
  const reader = { kind: 'agent', name: 'reader\\', id: `r-${index % 20}` } as const;
  const steps = [guide, tool, reader];
  return { ...begun, agentName: reader.name, toolName: tool.name, steps };
}

/**
 * All kinds of calls in a ledger: without user or conversation, failed, aborted, without tokens,
 * estimated, without price, with units beside tokens, with names that need escaping.
 */
export function mixedRecords(count: number, fromMs: number, toMs: number): UsageRecord[] {
  const random = randomOf(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const users = ['alice', "o'Brien", 'back\\slash', 'a b,c=d', '用户', undefined];
  return Array.from({ length: count }, (_, index) => {
    const [provider, requestModel] = pick(MODELS);
    const drawn = pick(['ok', 'ok', 'ok', 'error', 'aborted'] as const);
    // Of these no call was made, so that nothing is known but who asked for what.
    const outcome = index % 17 === 5 ? 'blocked' : drawn;
    const isCounted = drawn !== 'error' && random() > 0.1 && outcome !== 'blocked';
    const inputTokens = Math.floor(random() * 5000);
    const outputTokens = Math.floor(random() * 900);
    const isStream = random() > 0.5;
    const userId = pick(users);
    const conversationId = random() > 0.2 ? `c-${Math.floor(random() * 40)}` : undefined;
    return usageRecord(Math.floor(fromMs + ((toMs - fromMs) * (index + random())) / count), {
      service: pick(SERVICES),
      provider,
      requestModel,
      outcome,
      // One in eleven is of a batch, which tells no duration.
      durationMs:
        index % 11 === 0 || outcome === 'blocked' ? 0 : Math.round(20 + random() ** 4 * 60_000),
      ...(userId !== undefined && { userId }),
      ...(conversationId !== undefined && { conversationId }),
      ...teamOf(index),
      ...(isStream &&
        outcome !== 'blocked' && { timeToFirstChunkMs: Math.round(random() * 900) + 0.5 }),
      ...(outcome === 'error' && { errorType: 'rate_limit' }),
      ...(outcome === 'blocked' && { errorType: 'budget_exceeded' }),
      ...(isCounted && {
        inputTokens,
        outputTokens,
        totalTokens: inputTokens + outputTokens,
        tokenSource: pick(['provider', 'counted', 'estimated'] as const),
        ...(random() > 0.5 && { cacheReadTokens: Math.floor(inputTokens / 3) }),
        ...(random() > 0.9 && { reasoningTokens: Math.floor(outputTokens / 2) }),
        ...(random() > 0.3 && {
          costUsd: Math.round(random() * 1e7) / 1e9,
          costSource: pick(['provider', 'list', 'contract', 'estimated'] as const),
          ...(random() > 0.8 && { costMissing: ['web_searches', 'priority_tier'] }),
        }),
        ...(random() > 0.8 && { serviceTier: pick(['flex', 'priority'] as const) }),
      }),
      attributes: {
        ...(random() > 0.8 && { team: 'search', retries: 2, cached: true }),
        ...(isCounted && unitsOf(index)),
      },
    });
  });
}
