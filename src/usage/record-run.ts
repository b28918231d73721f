import { innermost, type RunPosition } from '../domain/agent-step.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { ATTR } from '../otel/semconv.ts';
import { valueOf } from './record-dimensions.ts';

type Draft = Pick<
  { -readonly [K in keyof UsageRecord]: UsageRecord[K] },
  'agentName' | 'runId' | 'toolName' | 'steps'
>;

/** Adds the run, agent and tool of a call. What a caller says by attributes fills in what no step says. */
export function addRun(
  record: Draft,
  run: RunPosition | undefined,
  { attributes = {} }: UsageContext,
): void {
  const steps = run?.steps ?? [];
  const agentName = innermost(steps, 'agent') ?? valueOf('agent name', attributes[ATTR.agentName]);
  if (agentName !== undefined) record.agentName = agentName;
  const runId = run?.runId ?? valueOf('run id', attributes[ATTR.runId]);
  if (runId !== undefined) record.runId = runId;
  const toolName = innermost(steps, 'tool');
  if (toolName !== undefined) record.toolName = toolName;
  if (steps.length > 0) record.steps = steps;
}
