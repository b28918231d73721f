import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { usageRun, type UsageRun } from '../../exporter/index.ts';
import { flush, type UsageRecord } from '../../src/index.ts';
import type { TestTelemetry } from './telemetry.ts';
import { sse, type Script } from './wire/wire-server.ts';
import { chatPlain, chatToolCall } from './wire/openai-chat.ts';

/** One program for all agent SDKs: a planner with two tools, of which one asks a sub-agent. */
const usage = (prompt: number, completion: number): object => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});
const wire = (usageOfReply: object) => ({
  model: 'gpt-4o-2024-08-06',
  usage: usageOfReply,
  streamUsage: { usage: usageOfReply },
});

/** Each reply and each call of a tool has an id of its own: LangGraph replaces messages by it. */
const numbered = (script: Script, number: number): Script => ({
  ...script,
  body: String(script.body)
    .replace('chatcmpl-1', `chatcmpl-${number}`)
    .replace('call_1', `call_${number}`),
});

const SCRIPTS: readonly Script[] = [
  chatToolCall(wire(usage(100, 10)), 'search', { query: 'tide', input: 'tide' }),
  chatPlain(wire(usage(30, 20)), ['Twice a day.']),
  chatToolCall(wire(usage(150, 5)), 'add', { a: 1, b: 2 }),
  chatPlain(wire(usage(200, 40)), ['High water is at 3.']),
];

/** The replies, in order: planner calls `search`, reader answers, planner calls `add`, planner answers. */
export const AGENT_SCRIPTS: readonly [Script, ...Script[]] = SCRIPTS.map(numbered) as [
  Script,
  ...Script[],
];

/** The same of an SDK that streams; a sub-agent's reply stays whole where `wholeSubAgent`. */
export function streamedAgentScripts({ wholeSubAgent = false } = {}): readonly [
  Script,
  ...Script[],
] {
  const [first, second, ...more] = AGENT_SCRIPTS as readonly [Script, Script, ...Script[]];
  return [streamed(first), wholeSubAgent ? second : streamed(second), ...more.map(streamed)];
}

/** A whole reply as the events of a stream. */
function streamed({ body }: Script): Script {
  const {
    choices,
    usage: used,
    ...reply
  } = JSON.parse(String(body)) as {
    choices: { message: { tool_calls?: object[] }; finish_reason: string }[];
    usage: object;
  };
  const [choice] = choices;
  const chunk = (rest: object): string =>
    sse({ ...reply, object: 'chat.completion.chunk', ...rest });
  const calls = choice?.message.tool_calls?.map((call, index) => ({ index, ...call }));
  const delta = { ...choice?.message, ...(calls && { tool_calls: calls }) };
  return {
    pieces: [
      chunk({ choices: [{ index: 0, delta, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: choice?.finish_reason }] }),
      chunk({ choices: [], usage: used }),
      sse('[DONE]'),
    ],
  };
}

interface Golden {
  readonly spans: readonly string[];
  readonly records: readonly string[];
  readonly run: readonly string[];
}

/** Compares what an SDK's program left with `test/agents/golden/NAME.json`; writes it where TOKEN_METER_WRITE_GOLDEN is set. */
export async function agreeWithGolden(
  name: string,
  telemetry: TestTelemetry,
  records: readonly UsageRecord[],
): Promise<void> {
  await flush();
  const runIds = new Set(records.map(({ runId }) => runId));
  assert.equal(runIds.size, 1, 'one run');
  const [id] = runIds;
  assert.ok(id !== undefined);
  const run = await usageRun({ records: () => Promise.resolve({ records }) }, id);
  assert.ok(run !== undefined);
  const seen: Golden = {
    spans: spanTree(telemetry.spans()),
    records: records.map(recordLine),
    run: runTree(run),
  };
  const file = new URL(`../agents/golden/${name}.json`, import.meta.url);
  if (process.env['TOKEN_METER_WRITE_GOLDEN'] !== undefined || !existsSync(file)) {
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(seen, undefined, 2)}\n`);
  }
  assert.deepEqual(seen, JSON.parse(readFileSync(file, 'utf8')));
}

function spanTree(spans: readonly ReadableSpan[]): readonly string[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const childrenOf = (parent: string | undefined): readonly ReadableSpan[] =>
    spans
      .filter(({ parentSpanContext }) => {
        const id = parentSpanContext?.spanId;
        return parent === undefined ? id === undefined || !ids.has(id) : id === parent;
      })
      .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
  const lines = (parent: string | undefined, depth: number): string[] =>
    childrenOf(parent).flatMap((span) => [
      `${'  '.repeat(depth)}${span.name}`,
      ...lines(span.spanContext().spanId, depth + 1),
    ]);
  return lines(undefined, 0);
}

function recordLine(record: UsageRecord): string {
  const {
    agentName = '-',
    toolName = '-',
    inputTokens,
    outputTokens,
    outcome,
    steps = [],
  } = record;
  const path = steps.map((step) => `${step.kind} ${step.name}`).join(' > ');
  return `${agentName} | ${toolName} | ${inputTokens} in ${outputTokens} out ${outcome} | ${path}`;
}

function runTree(run: UsageRun): readonly string[] {
  const lines = (part: Pick<UsageRun, 'models' | 'steps'>, depth: number): string[] => [
    ...part.models.map(
      ({ model, calls, totalTokens, costUsd }) =>
        `${'  '.repeat(depth)}${model}: ${calls} calls, ${totalTokens} tokens, $${costUsd}`,
    ),
    ...part.steps.flatMap((step) => [
      `${'  '.repeat(depth)}${step.kind} ${step.name}: ${step.total.calls} calls, ${step.total.totalTokens} tokens, $${step.total.costUsd}`,
      ...lines(step, depth + 1),
    ]),
  ];
  return [
    ...lines(run, 0),
    `run: ${run.total.calls} calls, ${run.total.totalTokens} tokens, $${run.total.costUsd}`,
  ];
}
