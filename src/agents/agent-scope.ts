import { createContextKey, trace, type Context } from '@opentelemetry/api';
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

/**
 * `active` with the step of `inside`, unless it is in that step already. The span is kept where the application has
 * begun one in `inside`, which the SDK that reported the step does not know of.
 *
 * @param around the Context in which the step began
 */
export function enteredStep(active: Context, inside: Context, around: Context): Context {
  const [own, now] = [agentScopeOf(inside), agentScopeOf(active)];
  const last = own?.steps.at(-1);
  if (own === undefined || now?.steps.some(({ id }) => id === last?.id) === true) return active;
  const span = trace.getSpan(inside);
  const isBegun = trace.getSpan(active) !== trace.getSpan(around);
  const entered = setAgentScope(active, own);
  return span === undefined || isBegun ? entered : trace.setSpan(entered, span);
}
