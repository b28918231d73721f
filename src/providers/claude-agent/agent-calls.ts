import type { Context } from '@opentelemetry/api';
import { agentScopeOf } from '../../agents/agent-scope.ts';
import type { CallMeter } from '../../call/call-meter.ts';
import type { Audience, CallStart, FinishedCall } from '../../call/call-start.ts';
import { mergeUsage, runIn, usageContextOf } from '../../context.ts';
import { stringAt, type JsonObject } from '../../tokens/json.ts';
import { messages } from '../anthropic/messages.ts';
import { HeardCall, type CallTime } from './heard-call.ts';
import { HeardMessages } from './heard-messages.ts';
import { isSameModel, TurnUsage, type RestOfTurn } from './turn-usage.ts';

/** The agent itself, among its sub-agents, which have the ids of the tools that run them. */
export const MAIN = '';

/** Who wants the calls of a turn. */
export interface TurnAudience {
  readonly calls: CallMeter | undefined;
  readonly audience: Audience | undefined;
  readonly begun: CallTime;
}

/** The model calls of a session, each recorded when nothing more of it will come. */
export class AgentCalls {
  readonly #provider: string;
  readonly #usage: TurnUsage;
  readonly #messages: HeardMessages;
  #turn: TurnAudience | undefined;
  /** The last call of each agent, of which more may come. */
  readonly #open = new Map<string, HeardCall>();
  /** By agent: since when its model may have been asked. */
  readonly #since = new Map<string, CallTime>();
  conversationId: string | undefined;

  constructor(provider: string, isFresh: boolean) {
    this.#provider = provider;
    this.#usage = new TurnUsage(isFresh);
    this.#messages = new HeardMessages(isFresh);
  }

  begin(turn: TurnAudience): void {
    this.#turn = turn;
    this.#since.clear();
  }

  /** Something of this agent has arrived: what its model is asked next is asked from now on. */
  passed(agent: string): void {
    this.#since.set(agent, now());
  }

  /** A message with a part of a reply: of a call that is new, or of the agent's last one. */
  heard(reply: JsonObject, agent: string, context: Context, isCut: boolean): void {
    const id = stringAt(reply, 'id');
    const isLast = this.#open.get(agent)?.id === id;
    if (!isLast && id !== undefined && this.#messages.has(id)) return;
    if (!isLast) this.#start(reply, agent, context);
    this.#open.get(agent)?.message(reply, isCut, now());
  }

  /** The API has begun to stream a reply, which is of a new call whatever its id is. */
  started(reply: JsonObject, agent: string, context: Context): void {
    this.#start(reply, agent, context);
    this.#open.get(agent)?.message({ ...reply, content: [] }, false, now());
  }

  /** An event of the API's stream. */
  streamed(event: JsonObject, agent: string): void {
    this.#open.get(agent)?.event(event, now());
  }

  /** @param isWhole false where the session ends first */
  settle(agent: string, isWhole = true): void {
    const call = this.#open.get(agent);
    if (call === undefined) return;
    this.#open.delete(agent);
    this.#record(call, this.#endOf(call, isWhole), []);
  }

  /** A request that the API refused, by a code of Claude Code. */
  refused(errorType: string, agent: string, model: string, context: Context): void {
    this.settle(agent);
    const reply = { closed: false, outputs: [] };
    this.#record({ model, context }, { ...this.#now(), reply, outcome: 'error', errorType }, []);
  }

  /** The turn is over, and what it used in total is known. `context`: that of the agent. */
  turnEnded(modelUsage: unknown, context: Context): void {
    for (const agent of this.#open.keys()) if (agent !== MAIN) this.settle(agent);
    const last = this.#open.get(MAIN);
    this.#open.delete(MAIN);
    const end = last === undefined ? undefined : this.#endOf(last, true);
    const isAlone = last !== undefined && this.#usage.callsOf(last.model) === 1;
    const rests = this.#usage.ended(modelUsage);
    if (last === undefined || end === undefined) {
      this.#recordRests(rests, context);
      return;
    }
    const own = isAlone ? rests.find((rest) => isOutputOf(last.model, rest)) : undefined;
    this.#record(
      last,
      own === undefined ? end : last.completed(end, own.usage),
      rests.filter((rest) => rest !== own),
    );
  }

  /** There will be no result. */
  ended(): void {
    for (const agent of this.#open.keys()) this.settle(agent, false);
  }

  /** Another reply of the same agent means that the one before is whole. */
  #start(reply: JsonObject, agent: string, context: Context): void {
    this.settle(agent);
    const { audience, begun } = this.#turn ?? {};
    if (audience === undefined) this.#usage.missed();
    if (audience === undefined || begun === undefined) return;
    const call = new HeardCall(reply, context, audience, this.#since.get(agent) ?? begun);
    this.#open.set(agent, call);
    if (call.id !== '') this.#messages.add(call.id);
  }

  #endOf(call: HeardCall, isWhole: boolean): FinishedCall {
    const end = call.finished(isWhole);
    if (end.reply.usage !== undefined) this.#usage.heard(call.model, end.reply.usage);
    return end;
  }

  #record(
    { model, context }: Pick<HeardCall, 'model' | 'context'>,
    end: FinishedCall,
    rests: readonly RestOfTurn[],
  ): void {
    const { calls, audience } = this.#turn ?? {};
    if (audience === undefined) return;
    const { operation } = messages;
    const others = rests.map((rest) => ({ operation, model: rest.model, usage: rest.usage }));
    const reply = audience.tokenStatistics ? { ...end.reply, others } : end.reply;
    const start: CallStart = {
      provider: this.#provider,
      shape: messages,
      request: { model },
      ambient: mergeUsage({ conversationId: this.conversationId }, usageContextOf(context)),
      ambientRun: agentScopeOf(context),
    };
    runIn(context, () => calls?.finished(start, { ...end, reply, audience }));
  }

  /** Of a turn without a call that was heard, such as the compaction of a conversation. */
  #recordRests([first, ...others]: readonly RestOfTurn[], context: Context): void {
    if (first === undefined || this.#turn?.audience?.tokenStatistics !== true) return;
    const reply = { usage: first.usage, closed: true, outputs: [] };
    const end = { ...this.#now(), reply, outcome: 'ok', errorType: undefined } as const;
    this.#record({ model: first.model, context }, end, others);
  }

  #now(): Pick<FinishedCall, 'endedAtMs' | 'durationMs' | 'sinceMs'> {
    const at = now();
    const { monotonicMs } = this.#since.get(MAIN) ?? this.#turn?.begun ?? at;
    const durationMs = at.monotonicMs - monotonicMs;
    return { endedAtMs: at.wallMs, durationMs, sinceMs: monotonicMs };
  }
}

export function now(): CallTime {
  return { wallMs: Date.now(), monotonicMs: performance.now() };
}

/** Whether a rest is nothing but output of this model. */
function isOutputOf(model: string, { model: named, usage }: RestOfTurn): boolean {
  const { inputTokens = 0, outputTokens = 0 } = usage;
  return inputTokens === 0 && outputTokens > 0 && isSameModel({ model: named }, model);
}
