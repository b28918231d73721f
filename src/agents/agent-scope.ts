import { createContextKey, type Context } from '@opentelemetry/api';
import type { RunPosition } from '../domain/agent-step.ts';

/** What one invocation of an agent did itself; what its sub-agents do is theirs. */
export interface InvocationCounts {
  inferenceCalls: number;
  toolCalls: number;
}

/** The step that code runs in. */
export interface AgentScope extends RunPosition {
  /** Of the innermost agent; absent in a workflow and in a tool outside of agents. */
  readonly counts?: InvocationCounts | undefined;
}

const SCOPE = createContextKey('otel-token-meter agent scope');

export function agentScopeOf(from: Context): AgentScope | undefined {
  return from.getValue(SCOPE) as AgentScope | undefined;
}

export function setAgentScope(onto: Context, scope: AgentScope): Context {
  return onto.setValue(SCOPE, scope);
}
