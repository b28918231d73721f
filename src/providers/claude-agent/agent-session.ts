import type { Context } from '@opentelemetry/api';
import { agentScopeOf } from '../../agents/agent-scope.ts';
import type { OpenStep } from '../../agents/open-step.ts';
import type { CallMeter } from '../../call/call-meter.ts';
import type { Audience, CallStart, FinishedCall } from '../../call/call-start.ts';
import type { ReplySink } from '../../call/reply-sink.ts';
import { mergeUsage, runIn, usageContextOf } from '../../context.ts';
import { errorType, quietly } from '../../host/quietly.ts';
import { isObject, objectAt, stringAt, text, type JsonObject } from '../../tokens/json.ts';
import { messages } from '../anthropic/messages.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { startStep } from '../tool-step.ts';
import { HeardCall, type CallTime } from './heard-call.ts';
import { blocksOf, ToolSteps } from './tool-steps.ts';
import { isSameModel, TurnUsage, type RestOfTurn } from './turn-usage.ts';

export interface SessionFacts {
  readonly agentName: string;
  /** Of its models, by the environment of its process. */
  readonly provider: string;
  /** False for a session that goes on with an earlier one. */
  readonly isFresh: boolean;
  /** In which the application has asked. */
  readonly around: Context;
}

/** From a question to its result. */
interface Turn {
  readonly calls: CallMeter | undefined;
  readonly audience: Audience | undefined;
  readonly step: OpenStep | undefined;
  readonly begun: CallTime;
}

/** Whoever reads the messages no further. Holds the session, never what it is read from. */
const registry = new FinalizationRegistry<AgentSession>((session) => session.streamEnded());

const MAIN = '';
/** In place of a model's name on messages that Claude Code makes itself. */
const SYNTHETIC = '<synthetic>';

/**
 * One `query()`: a process that reports its model calls, tools and sub-agents in the messages that the application
 * reads. Each turn is an invocation of the agent; all of them are one run.
 */
export class AgentSession implements ReplySink {
  readonly tools: ToolSteps;
  readonly #meter: CurrentMeter;
  readonly #facts: SessionFacts;
  readonly #usage: TurnUsage;
  #turn: Turn | undefined;
  #runId: string | undefined;
  #sessionId: string | undefined;
  #model = 'unknown';
  /** The last call of the agent and of each sub-agent, of which more may come. */
  readonly #open = new Map<string, HeardCall>();
  /** By agent: since when its model may have been asked. */
  readonly #since = new Map<string, CallTime>();
  #hasEnded = false;

  constructor(meter: CurrentMeter, facts: SessionFacts) {
    this.#meter = meter;
    this.#facts = facts;
    this.#usage = new TurnUsage(facts.isFresh);
    this.tools = new ToolSteps(meter);
    this.#begin();
  }

  get ended(): boolean {
    return this.#hasEnded;
  }

  /** In which a turn's calls and tools are. */
  get context(): Context {
    return this.#turn?.step?.context ?? this.#facts.around;
  }

  arrived(handle: object): void {
    registry.register(handle, this, this);
  }

  reading(handle?: object): void {
    registry.unregister(this);
    if (handle !== undefined) registry.register(handle, this, this);
  }

  event(message: unknown): void {
    quietly('reading a message', () => {
      if (isObject(message)) this.#read(message);
    });
  }

  /** Calls that are still open had no result. */
  streamEnded(): void {
    this.#end(undefined);
  }

  failed(error: unknown): void {
    this.#end(errorType(error));
  }

  /** The process ends. */
  close(): void {
    this.#end(undefined);
  }

  #read(message: JsonObject): void {
    const { type, subtype } = message;
    this.#sessionId = text(message['session_id']) ?? this.#sessionId;
    const agent = text(message['parent_tool_use_id']) ?? MAIN;
    if (type === 'assistant' || type === 'user' || type === 'stream_event') this.#begin();
    if (type === 'assistant') this.#assistant(message, agent);
    else if (type === 'stream_event') this.#streamed(objectAt(message, 'event'), agent);
    else if (type === 'user') this.#user(message);
    else if (type === 'result') this.#result(message);
    else if (subtype === 'init') this.#model = stringAt(message, 'model') ?? this.#model;
    else if (subtype === 'task_notification') {
      const status = stringAt(message, 'status');
      const failure = status === 'completed' ? undefined : status;
      this.tools.agentEnded(stringAt(message, 'tool_use_id') ?? MAIN, failure);
    }
    if (type !== 'result') this.#since.set(agent, this.#now());
  }

  #assistant(message: JsonObject, agent: string): void {
    const reply = objectAt(message, 'message');
    if (reply === undefined) return;
    if (stringAt(reply, 'model') === SYNTHETIC) {
      const error = stringAt(message, 'error');
      if (error !== undefined) this.#failedCall(error, agent);
      return;
    }
    const isCut = message['aborted'] === true;
    this.#callOf(reply, agent)?.message(reply, isCut, this.#now());
    for (const block of blocksOf(message, 'tool_use')) {
      this.tools.begun(block, this.#contextOf(agent));
    }
  }

  #streamed(event: JsonObject | undefined, agent: string): void {
    if (event === undefined) return;
    const started = event['type'] === 'message_start' ? objectAt(event, 'message') : undefined;
    if (started !== undefined) {
      this.#callOf(started, agent)?.message({ ...started, content: [] }, false, this.#now());
    }
    this.#open.get(agent)?.event(event, this.#now());
  }

  #user(message: JsonObject): void {
    const status = stringAt(objectAt(message, 'tool_use_result'), 'status');
    for (const block of blocksOf(message, 'tool_result')) {
      this.#settle(text(block['tool_use_id']) ?? MAIN, true);
      this.tools.ended(block, status === 'async_launched');
    }
  }

  /** The turn is over, and what it used in total is known. */
  #result(message: JsonObject): void {
    this.#begin();
    for (const agent of this.#open.keys()) if (agent !== MAIN) this.#settle(agent, true);
    const last = this.#open.get(MAIN);
    this.#open.delete(MAIN);
    const end = last === undefined ? undefined : this.#endOf(last, true);
    const isAlone = last !== undefined && this.#usage.callsOf(last.model) === 1;
    let rests = this.#usage.ended(message['modelUsage']);
    if (last !== undefined && end !== undefined) {
      const own = isAlone ? rests.find((rest) => isOutputOf(last.model, rest)) : undefined;
      if (own !== undefined) rests = rests.filter((rest) => rest !== own);
      this.#record(last, own === undefined ? end : last.completed(end, own.usage), rests);
    } else this.#recordRests(rests);
    const { subtype, is_error: isError } = message;
    const status = message['api_error_status'];
    const failure = typeof status === 'number' ? String(status) : (text(subtype) ?? 'Error');
    this.#turn?.step?.end(isError === true ? { errorType: failure } : {});
    this.#turn?.calls?.open.released(this);
    this.#turn = undefined;
    this.#since.clear();
  }

  #end(failure: string | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    registry.unregister(this);
    quietly('ending a session', () => {
      for (const agent of this.#open.keys()) this.#settle(agent, false);
      this.tools.endAll();
      this.#turn?.step?.end({ errorType: failure });
      this.#turn?.calls?.open.released(this);
      this.#turn = undefined;
    });
  }

  #begin(): void {
    if (this.#turn !== undefined) return;
    const { agentName: name, around: parent } = this.#facts;
    const calls = this.#meter();
    const audience = calls?.audience();
    const runId = this.#runId;
    const step = startStep(this.#meter, () => ({ kind: 'agent', name, parent, runId }));
    this.#turn = { calls, audience, step, begun: this.#now() };
    calls?.open.held(this);
    this.#runId ??= step && agentScopeOf(step.context)?.runId;
  }

  #contextOf(agent: string): Context {
    return (agent === MAIN ? undefined : this.tools.contextOf(agent)) ?? this.context;
  }

  /** The open call that has this reply. Another reply of the same agent means that the one before is whole. */
  #callOf(reply: JsonObject, agent: string): HeardCall | undefined {
    const known = this.#open.get(agent);
    if (known !== undefined && known.id === stringAt(reply, 'id')) return known;
    this.#settle(agent, true);
    const { audience, begun } = this.#turn ?? {};
    if (audience === undefined) this.#usage.missed();
    if (audience === undefined || begun === undefined) return undefined;
    const since = this.#since.get(agent) ?? begun;
    const call = new HeardCall(reply, this.#contextOf(agent), audience, since);
    this.#open.set(agent, call);
    return call;
  }

  #settle(agent: string, isWhole: boolean): void {
    const call = this.#open.get(agent);
    if (call === undefined) return;
    this.#open.delete(agent);
    this.#record(call, this.#endOf(call, isWhole), []);
  }

  #endOf(call: HeardCall, isWhole: boolean): FinishedCall {
    const end = call.finished(isWhole);
    if (end.reply.usage !== undefined) this.#usage.heard(call.model, end.reply.usage);
    return end;
  }

  #record(
    call: Pick<HeardCall, 'model' | 'context'>,
    end: FinishedCall,
    rests: readonly RestOfTurn[],
  ): void {
    const { calls, audience } = this.#turn ?? {};
    const others = rests.map(({ model, usage }) => ({
      operation: messages.operation,
      model,
      usage,
    }));
    const reply = audience?.tokenStatistics === true ? { ...end.reply, others } : end.reply;
    const start: CallStart = {
      provider: this.#facts.provider,
      shape: messages,
      request: { model: call.model },
      ambient: mergeUsage({ conversationId: this.#sessionId }, usageContextOf(call.context)),
      ambientRun: agentScopeOf(call.context),
    };
    runIn(call.context, () => calls?.finished(start, { ...end, reply }));
  }

  /** Of a turn without a call that was heard, such as the compaction of a conversation. */
  #recordRests([first, ...others]: readonly RestOfTurn[]): void {
    const { audience } = this.#turn ?? {};
    if (first === undefined || audience?.tokenStatistics !== true) return;
    const reply = {
      usage: first.usage,
      conversationId: this.#sessionId,
      closed: true,
      outputs: [],
    };
    const end = {
      ...this.#untilNow(audience),
      reply,
      outcome: 'ok',
      errorType: undefined,
    } as const;
    this.#record({ model: first.model, context: this.context }, end, others);
  }

  /** A request that the API refused, by a code of Claude Code. */
  #failedCall(errorType: string, agent: string): void {
    const { audience } = this.#turn ?? {};
    this.#settle(agent, true);
    if (audience === undefined) return;
    const reply = { closed: false, outputs: [] };
    const end = { ...this.#untilNow(audience), reply, outcome: 'error', errorType } as const;
    this.#record({ model: this.#model, context: this.#contextOf(agent) }, end, []);
  }

  #untilNow(
    audience: Audience,
  ): Pick<FinishedCall, 'endedAtMs' | 'durationMs' | 'sinceMs' | 'audience'> {
    const now = this.#now();
    const since = this.#since.get(MAIN) ?? this.#turn?.begun ?? now;
    return {
      endedAtMs: now.wallMs,
      durationMs: now.monotonicMs - since.monotonicMs,
      sinceMs: since.monotonicMs,
      audience,
    };
  }

  #now(): CallTime {
    return { wallMs: Date.now(), monotonicMs: performance.now() };
  }
}

/** Whether a rest is nothing but output of this model. */
function isOutputOf(model: string, { model: named, usage }: RestOfTurn): boolean {
  const { inputTokens = 0, outputTokens = 0 } = usage;
  return inputTokens === 0 && outputTokens > 0 && isSameModel({ model: named }, model);
}
