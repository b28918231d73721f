import type { Context } from '@opentelemetry/api';
import { agentScopeOf, type AgentScope } from '../agents/agent-scope.ts';
import type { OpenStep } from '../agents/open-step.ts';
import type { OpenOperation, OperationStart } from '../agents/operation.ts';
import type { StepStart } from '../agents/step-start.ts';
import { activeContext, mergeUsage, NO_USAGE_CONTEXT, usageContextOf } from '../context.ts';
import { isRefusal, type BudgetRefusal, type Reservation } from '../domain/call-budgets.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import { quietly } from '../host/quietly.ts';
import { kindOfCall } from '../otel/instruments.ts';
import { beginCall, type BegunCall } from './begun-call.ts';
import { openSpan, placeCall } from './call-spans.ts';
import type { Audience, CallStart, FinishedCall } from './call-start.ts';
import { ChatCall } from './chat-call.ts';
import { CallScope, scopeOf, setScope, type CallSight } from './claims.ts';
import type { Clock } from './clock.ts';
import { OpenCalls } from './open-calls.ts';
import { otherModelCall } from './other-model-call.ts';
import { RecentCalls } from './recent-calls.ts';

export interface CallMeterOptions<Record = unknown> {
  readonly clock: Clock;
  /**
   * Asked when a call begins; undefined while nobody wants its record. `team`: of the call, by default that of the
   * active Context.
   */
  readonly audience: (team?: () => unknown) => Audience<Record> | undefined;
}

/** The end of a call that was never sent. */
const REFUSED = {
  durationMs: 0,
  timeToFirstChunkMs: undefined,
  chunkGapsMs: [],
  outcome: 'blocked',
  errorType: 'budget_exceeded',
  reply: { closed: false, outputs: [] },
  replied: false,
} as const;

/** Starts calls: where every provider's patch and the manual wrapper come together. */
export class CallMeter<Record = unknown> {
  readonly open: OpenCalls<ChatCall> = new OpenCalls();
  readonly #options: CallMeterOptions<Record>;
  readonly #recent = new RecentCalls();

  constructor(options: CallMeterOptions<Record>) {
    this.#options = options;
  }

  /** Monotonic milliseconds. */
  nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Undefined while metering is off. `team`: by default that of the active Context. */
  audience(team?: () => unknown): Audience<Record> | undefined {
    return this.#options.audience(team);
  }

  /** A step of an agent's run, in which calls are made. Undefined while metering is off. */
  startStep(start: StepStart): OpenStep | undefined {
    const audience = quietly('starting a step', () => this.#options.audience());
    if (audience === undefined) return undefined;
    return audience.lead.steps.start(start, () => audience.meters?.() ?? []);
  }

  /** A request to or from a tool server. Undefined while metering is off. */
  startOperation(start: OperationStart): OpenOperation | undefined {
    const audience = quietly('starting an operation', () => this.#options.audience());
    if (audience === undefined) return undefined;
    return audience.lead.steps.startOperation(start, () => audience.meters?.() ?? []);
  }

  /**
   * Undefined when metering is off or a call around this one counts it already: then the SDK's
   * function is to be called straight through.
   */
  start(start: CallStart): ChatCall | undefined {
    return quietly('starting a call', () => this.#start(start));
  }

  /**
   * A call that is over already, as its caller reports it. Undefined when metering is off, and for a
   * reply that was metered a moment ago.
   */
  finished(start: CallStart, end: FinishedCall<Record>): Record | undefined {
    return quietly('taking a finished call', () => this.#finished(start, end));
  }

  #finished(start: CallStart, end: FinishedCall<Record>): Record | undefined {
    const audience = end.audience ?? this.#options.audience(() => teamOf(start));
    if (audience === undefined) return undefined;
    const parent = activeContext();
    const startedAtMs = end.endedAtMs - end.durationMs;
    const begun = beginCall(start, parent, audience, startedAtMs);
    const nowMs = this.#options.clock.monotonicMs();
    const { reply, byModel = false } = end;
    const sight = { ...sightAtStart(start, begun), ...sightOf(begun, reply) };
    const { responseId } = reply;
    if (responseId !== undefined) {
      const { model } = begun.facts;
      const [same, ...more] = this.open.those((call) => call.isReceiving(responseId, model));
      // Of two replies with one id it is not known whose user this is.
      if (more.length === 0) same?.learn(begun.usageContext);
      if (same !== undefined) return undefined;
    }
    if (this.#recent.take({ ...sight, byModel, sinceMs: end.sinceMs, nowMs })) return undefined;
    CallScope.claim(scopeOf(parent), sight);
    const ended: EndedCall = {
      ...begun,
      span: openSpan(audience.lead, start, begun.facts, startedAtMs, parent),
      durationMs: end.durationMs,
      timeToFirstChunkMs: undefined,
      chunkGapsMs: [],
      outcome: end.outcome,
      errorType: end.errorType,
      reply,
      replied: true,
    };
    const recorded = audience.onEnd(ended);
    audience.budgets?.charge(recorded);
    countInference(start.ambientRun ?? agentScopeOf(parent), start);
    this.#recordOthers(start, ended, audience, parent);
    return recorded;
  }

  #start(start: CallStart): ChatCall | undefined {
    const audience = this.#options.audience(() => teamOf(start));
    if (audience === undefined) return undefined;
    const { clock } = this.#options;
    const { shape } = start;
    const parent = activeContext();
    const around = scopeOf(parent);
    const startedMs = clock.monotonicMs();
    const begun = beginCall(start, parent, audience, clock.wallMs());
    const sight = sightAtStart(start, begun);
    if (CallScope.counts(around, sight)) return undefined;

    const reservation =
      start.isUnderway === true
        ? undefined
        : reserve(start, begun, audience, CallScope.reserving(around, sight));
    const { span, spanIsForeign, inside, onEnd } = placeCall(start, begun, parent, audience);
    if (reservation !== undefined && isRefusal(reservation)) {
      // A call around this one was not made either.
      CallScope.claim(around, sight);
      const refused = { ...begun, span, spanIsForeign, ...REFUSED };
      onEnd(start.wrapper?.amend?.(refused) ?? refused);
      return new ChatCall(reservation, parent);
    }
    const scope = new CallScope(around, sight, start.wrapper?.name);
    if (start.wrapper !== undefined) scope.reservation = reservation;
    return new ChatCall(
      {
        begun: { ...begun, span, spanIsForeign },
        reader: shape.reader({
          usage: audience.tokenStatistics,
          output: audience.keepContent,
          request: start.request,
          model: start.model,
        }),
        clock,
        startedMs,
        eachChunk: audience.lead.chunkTimes === 'each',
        open: this.open,
        onEnd: (ended) => {
          const { name: wrapper, amend, onlyLends } = start.wrapper ?? {};
          const known = amend?.(ended) ?? ended;
          const seen = Object.assign(scope.sight, sightOf(known, known.reply));
          const nowMs = clock.monotonicMs();
          const isCached = onlyLends === true && !scope.hasRequested;
          const isAlreadyMetered =
            scope.close() ||
            isCached ||
            (wrapper !== undefined &&
              this.#recent.take({ ...seen, wrapper, sinceMs: startedMs, nowMs }));
          if (isAlreadyMetered) {
            reservation?.release();
            return;
          }
          this.#recent.add({ ...seen, wrapper, startedMs, endedMs: nowMs });
          const recorded = onEnd(known);
          countInference(agentScopeOf(parent), start);
          if (start.isUnderway === true) audience.budgets?.charge(recorded);
          else reservation?.settle(recorded);
          this.#recordOthers(start, known, audience, parent);
        },
      },
      setScope(inside, scope),
    );
  }

  #recordOthers(
    start: CallStart,
    ended: EndedCall,
    audience: Audience<Record>,
    parent: Context,
  ): void {
    for (const use of ended.reply.others ?? []) {
      const other = otherModelCall(ended, use);
      const { shape, facts, startedAtMs } = other;
      const span = openSpan(
        audience.lead,
        { ...start, shape, request: undefined },
        facts,
        startedAtMs,
        parent,
      );
      const recorded = audience.onEnd({ ...other, span, spanIsForeign: false });
      audience.budgets?.charge(recorded);
    }
  }
}

function teamOf({ usageContext = NO_USAGE_CONTEXT, ambient }: CallStart): unknown {
  return mergeUsage(ambient ?? usageContextOf(activeContext()), usageContext).team;
}

function countInference(scope: AgentScope | undefined, { shape }: CallStart): void {
  if (scope?.counts === undefined || kindOfCall(shape.operation) !== 'inference') return;
  scope.counts.inferenceCalls += 1;
}

/** Undefined where there are no budgets. */
function reserve<Record>(
  { provider, shape, request, outputLimit }: CallStart,
  { facts, usageContext }: BegunCall,
  { budgets }: Audience<Record>,
  reserving: CallScope | undefined,
): Reservation<Record> | BudgetRefusal | undefined {
  if (budgets === undefined) return undefined;
  const { operation, inputOnly = false } = shape;
  const instead = reserving?.reservation;
  // LangChain and the AI SDK try one call several times; a function may make any number.
  if (reserving?.isOfManyCalls === true) reserving.reservation = undefined;
  return budgets.reserve({
    provider,
    model: facts.model,
    usageContext,
    size: { operation, request, outputLimit, inputOnly },
    instead,
  });
}

function sightAtStart({ shape, byHand = false }: CallStart, { facts }: BegunCall): CallSight {
  return { operation: shape.operation, requestModel: facts.model, byHand };
}

function sightOf({ facts }: Pick<BegunCall, 'facts'>, reply: EndedCall['reply']) {
  return {
    requestModel: facts.model,
    responseModel: reply.responseModel,
    responseId: reply.responseId,
  };
}
