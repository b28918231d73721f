import { INVALID_SPAN_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api';
import { agentScopeOf } from '../agents/agent-scope.ts';
import { mergeUsage, NO_USAGE_CONTEXT, usageContextOf } from '../context.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import { quietly } from '../host/quietly.ts';
import type { Audience, CallStart, RequestIdentity } from './call-start.ts';
import { snapshot } from './snapshot.ts';

/** What is known of a call when it begins. */
export type BegunCall = Omit<
  EndedCall,
  | 'durationMs'
  | 'timeToFirstChunkMs'
  | 'chunkGapsMs'
  | 'outcome'
  | 'errorType'
  | 'reply'
  | 'replied'
>;

/** Of a call whose span is not known yet. */
export const NO_SPAN: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

const NO_FACTS: RequestFacts = {};

export function beginCall<Record>(
  start: CallStart,
  parent: Context,
  { tokenStatistics, keepContent, lead: { requestIdentity } }: Audience<Record>,
  startedAtMs: number,
): BegunCall {
  const read = quietly('reading a request', () => start.shape.request(start.request)) ?? NO_FACTS;
  return {
    provider: start.provider,
    shape: start.shape,
    facts: start.model === undefined ? read : { ...read, model: start.model },
    request: keepContent ? snapshot(start.request) : undefined,
    serverAddress: start.serverAddress,
    serverPort: start.serverPort,
    run: start.ambient === undefined ? agentScopeOf(parent) : start.ambientRun,
    usageContext: mergeUsage(
      identityOf(read, requestIdentity),
      mergeUsage(start.ambient ?? usageContextOf(parent), start.usageContext ?? NO_USAGE_CONTEXT),
    ),
    span: NO_SPAN,
    spanIsForeign: false,
    startedAtMs,
    tokenStatistics,
  };
}

function identityOf(facts: RequestFacts, how: RequestIdentity): UsageContext {
  if (how === 'never') return NO_USAGE_CONTEXT;
  const all = how === 'all';
  const userId = facts.userId ?? (all ? facts.opaqueUserId : undefined);
  const conversationId = facts.conversationId ?? (all ? facts.opaqueConversationId : undefined);
  return userId === undefined && conversationId === undefined
    ? NO_USAGE_CONTEXT
    : { userId, conversationId };
}
