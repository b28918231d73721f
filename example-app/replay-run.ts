import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import { flush, withUsageContext } from 'otel-token-meter';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import type { RecordedConversation } from './demo-model/recorded-conversations.ts';
import { OMIT_USAGE_HEADER, startDemoModel } from './demo-model/server.ts';
import { startLiveSettings } from './live-settings.ts';
import { ReplayProgress } from './replay-progress.ts';
import type { AppTelemetry } from './telemetry.ts';

export interface ReplayOptions {
  /** Maximum calls per second. */
  readonly rate: number;
  readonly users: number;
  readonly concurrency: number;
}

export interface ReplaySummary {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** All use the same vocabulary and framing, so sums do not depend on which conversation uses which model. */
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini'] as const;

/** The four ways to make a call, used in turn. */
const WAYS = [
  { stream: false, usage: true },
  { stream: true, usage: true },
  { stream: true, usage: false },
  { stream: false, usage: false },
] as const;

/** Replays conversations concurrently, and the turns of each one in sequence. */
export async function replay(
  conversations: readonly RecordedConversation[],
  config: TokenMeterConfig,
  telemetry: AppTelemetry,
  options: ReplayOptions,
): Promise<ReplaySummary> {
  const settings = await startLiveSettings({
    config,
    instrumentation: telemetry.instrumentation,
    name: 'replay',
    details: () => ({ exporter: telemetry.status() }),
  });
  const demo = await startDemoModel({ conversations });
  const client = new OpenAI({ apiKey: 'demo', baseURL: demo.url, maxRetries: 0 });
  const turns = conversations.map(turnsOf);
  const total = turns.reduce((sum, list) => sum + list.length, 0);
  const progress = new ReplayProgress(process.stderr, total);
  const summary = { calls: 0, failed: 0, inputTokens: 0, outputTokens: 0 };
  const startedAt = Date.now();
  let begun = 0;

  async function call(index: number, turn: number): Promise<void> {
    const dueAt = startedAt + (begun / options.rate) * 1000;
    begun += 1;
    if (dueAt > Date.now()) await sleep(dueAt - Date.now());
    const conversation = conversations[index] as RecordedConversation;
    const way = WAYS[(index + turn) % WAYS.length] as (typeof WAYS)[number];
    try {
      const usage = await withUsageContext(
        { userId: `user-${String((index % options.users) + 1).padStart(3, '0')}` },
        () => send(client, conversation, turns[index]?.[turn] ?? 0, index, way),
      );
      summary.inputTokens += usage?.prompt_tokens ?? 0;
      summary.outputTokens += usage?.completion_tokens ?? 0;
    } catch (error) {
      summary.failed += 1;
      if (summary.failed <= 3) console.error(`${conversation.id}: ${(error as Error).message}`);
    }
    summary.calls += 1;
    progress.update(summary.calls, summary.inputTokens + summary.outputTokens);
  }

  let next = 0;
  async function worker(): Promise<void> {
    for (let index = next++; index < conversations.length; index = next++) {
      for (let turn = 0; turn < (turns[index]?.length ?? 0); turn += 1) await call(index, turn);
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, () => worker()));
  await flush();
  await settings.close();
  await demo.close();
  return summary;
}

/** Indexes of the assistant's turns. Each was one call with all preceding messages. */
function turnsOf({ messages }: RecordedConversation): readonly number[] {
  return messages.flatMap(({ role }, position) => (role === 'assistant' ? position : []));
}

async function send(
  client: OpenAI,
  conversation: RecordedConversation,
  position: number,
  index: number,
  way: (typeof WAYS)[number],
): Promise<OpenAI.CompletionUsage | undefined> {
  const { id, messages, tools } = conversation;
  const body = {
    model: MODELS[index % MODELS.length] as string,
    messages: messages.slice(0, position) as OpenAI.ChatCompletionMessageParam[],
    metadata: { conversation_id: id },
    ...(tools !== undefined && tools.length > 0 && { tools: tools as OpenAI.ChatCompletionTool[] }),
  };
  const headers = way.usage ? {} : { [OMIT_USAGE_HEADER]: '1' };
  if (!way.stream) {
    return (await client.chat.completions.create(body, { headers })).usage;
  }
  const stream = await client.chat.completions.create(
    { ...body, stream: true, ...(way.usage && { stream_options: { include_usage: true } }) },
    { headers },
  );
  let usage: OpenAI.CompletionUsage | undefined;
  for await (const chunk of stream) usage = chunk.usage ?? usage;
  return usage;
}
