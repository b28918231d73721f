import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { usageRecord } from './usage-logs.ts';

export interface OfficeOptions {
  /** Time just after the latest call. */
  readonly until: number;
  readonly days: number;
  /** Conversations per working day. @default 60 */
  readonly perDay?: number;
}

interface Model {
  readonly name: string;
  readonly provider: string;
  readonly weight: number;
  /** US dollars per million tokens; absent if the price is unknown. */
  readonly prices?: readonly [input: number, cached: number, output: number];
  readonly tokensPerSecond: number;
}

const MODELS: readonly Model[] = [
  {
    name: 'gpt-5.1',
    provider: 'openai',
    weight: 34,
    prices: [1.25, 0.125, 10],
    tokensPerSecond: 70,
  },
  {
    name: 'claude-sonnet-4-5',
    provider: 'anthropic',
    weight: 27,
    prices: [3, 0.3, 15],
    tokensPerSecond: 62,
  },
  {
    name: 'gpt-4.1-mini',
    provider: 'openai',
    weight: 17,
    prices: [0.4, 0.1, 1.6],
    tokensPerSecond: 95,
  },
  {
    name: 'gemini-2.5-flash',
    provider: 'gcp.gemini',
    weight: 11,
    prices: [0.3, 0.075, 2.5],
    tokensPerSecond: 140,
  },
  { name: 'qwen3-max', provider: 'qwen', weight: 6, prices: [1.2, 0.24, 6], tokensPerSecond: 55 },
  {
    name: 'deepseek-chat',
    provider: 'deepseek',
    weight: 3,
    prices: [0.28, 0.028, 0.42],
    tokensPerSecond: 40,
  },
  { name: 'support-bot-ft', provider: 'openai', weight: 2, tokensPerSecond: 80 },
];

const USERS = (
  'amelia.hart wei.zhang jonas.weber priya.nair lucas.martin sofia.rossi 王芳 omar.haddad ' +
  'emma.johansson noah.fischer mei.lin carlos.ruiz hannah.klein yuki.tanaka ben.cohen ' +
  'olivia.brown 李伟 anton.petrov chloe.dubois samir.khan nora.larsen tom.becker'
).split(' ');

const TOPICS =
  'onboarding invoice-1042 release-notes churn-report api-migration hiring-plan sql-help q4-forecast legal-review translation'.split(
    ' ',
  );

/** Of a working day, from 0:00. */
const HOURS = [1, 0, 0, 0, 0, 0, 1, 4, 16, 30, 34, 28, 14, 22, 32, 34, 28, 18, 8, 5, 4, 4, 3, 2];
const ERRORS = [
  'rate_limit_exceeded',
  'rate_limit_exceeded',
  'timeout',
  'server_error',
  'context_length_exceeded',
];

/**
 * Generates calls of an office with 22 people: working hours, conversations with growing and cached
 * context, few errors. Deterministic for the same options. Seven days up to `until` contain every
 * model, with the possible exception of the model of the current day: each day starts with a
 * different model.
 */
export function* officeUsage({ until, days, perDay = 60 }: OfficeOptions): Generator<UsageRecord> {
  const random = randomFrom(7);
  const start = new Date(until);
  start.setHours(0, 0, 0, 0);
  for (let day = days - 1; day >= 0; day--) {
    const midnight = new Date(start);
    midnight.setDate(midnight.getDate() - day);
    const weekend = midnight.getDay() % 6 === 0 ? 0.18 : 1;
    const growth = 0.6 + (0.4 * (days - day)) / days;
    const count = Math.max(1, Math.round(perDay * weekend * growth * (0.85 + 0.3 * random())));
    for (let i = 0; i < count; i++) {
      const begin = midnight.getTime() + hourOf(random) * 3_600_000 + random() * 3_600_000;
      const model = i === 0 ? MODELS[day % MODELS.length]! : weighted(MODELS, random);
      for (const record of conversation(begin, model, random)) {
        if (Date.parse(record.time.slice(0, 23) + 'Z') < until) yield record;
      }
    }
  }
}

function* conversation(begin: number, model: Model, random: () => number): Generator<UsageRecord> {
  const user = USERS[Math.floor(USERS.length * random() ** 2.2)]!;
  const topic = TOPICS[Math.floor(TOPICS.length * random())]!;
  const conversationId = `${topic}-${Math.floor(random() * 0xffff)
    .toString(16)
    .padStart(4, '0')}`;
  let context = Math.round(300 + 2400 * random() ** 2);
  let at = begin;
  const turns = 1 + Math.floor(9 * random() ** 1.8);
  for (let turn = 0; turn < turns; turn++) {
    const outputTokens = Math.round(40 + 900 * random() ** 1.7);
    const cacheReadTokens =
      turn > 0 && context > 1024 ? Math.floor((context * 0.8) / 128) * 128 : 0;
    const firstChunk = 250 + 900 * random() ** 2 + context / 30;
    const durationMs =
      firstChunk + (outputTokens / model.tokensPerSecond) * 1000 * (0.8 + random());
    const [input, cached, output] = model.prices ?? [];
    const fate = random();
    const common = {
      provider: model.provider,
      requestModel: model.name,
      responseModel: model.name,
      ...(random() > 0.02 && { userId: user }),
      conversationId,
    };
    if (fate < 0.014) {
      const errorType = ERRORS[Math.floor(ERRORS.length * random())]!;
      yield usageRecord(at, { ...common, outcome: 'error', errorType, durationMs: firstChunk * 2 });
    } else {
      const cost =
        input === undefined
          ? undefined
          : ((context - cacheReadTokens) * input +
              cacheReadTokens * cached! +
              outputTokens * output!) /
            1e6;
      const estimated = fate > 0.955;
      yield usageRecord(at, {
        ...common,
        outcome: fate > 0.98 ? 'aborted' : 'ok',
        durationMs: Math.round(durationMs),
        timeToFirstChunkMs: Math.round(firstChunk),
        inputTokens: context,
        outputTokens,
        totalTokens: context + outputTokens,
        ...(cacheReadTokens > 0 && { cacheReadTokens }),
        ...(model.name === 'gpt-5.1' && { reasoningTokens: Math.round(outputTokens * 0.35) }),
        tokenSource: estimated ? 'estimated' : 'provider',
        ...(cost !== undefined && { costUsd: Math.round(cost * 1e9) / 1e9 }),
      });
    }
    context += outputTokens + Math.round(60 + 500 * random() ** 2);
    at += durationMs + 15_000 + 120_000 * random();
  }
}

function hourOf(random: () => number): number {
  let rest = random() * HOURS.reduce((sum, weight) => sum + weight, 0);
  return HOURS.findIndex((weight) => (rest -= weight) < 0);
}

function weighted<T extends { readonly weight: number }>(
  all: readonly T[],
  random: () => number,
): T {
  let rest = random() * all.reduce((sum, { weight }) => sum + weight, 0);
  return all.find(({ weight }) => (rest -= weight) < 0) ?? all[0]!;
}

/** Mulberry32, deterministic for a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
