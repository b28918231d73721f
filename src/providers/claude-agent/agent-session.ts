import type { Context } from '@opentelemetry/api';
import { agentScopeOf } from '../../agents/agent-scope.ts';
import type { OpenStep } from '../../agents/open-step.ts';
import type { ReplySink } from '../../call/reply-sink.ts';
import { errorType, quietly } from '../../host/quietly.ts';
import { isObject, objectAt, stringAt, text, type JsonObject } from '../../tokens/json.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { startStep } from '../tool-step.ts';
import { AgentCalls, MAIN, now, type TurnAudience } from './agent-calls.ts';
import { blocksOf, ToolSteps } from './tool-steps.ts';

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
interface Turn extends TurnAudience {
  readonly step: OpenStep | undefined;
}

/** Whoever reads the messages no further. Holds the session, never what it is read from. */
const registry = new FinalizationRegistry<AgentSession>((session) => session.streamEnded());

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
  readonly #calls: AgentCalls;
  #turn: Turn | undefined;
  #runId: string | undefined;
  #model = 'unknown';
  #hasEnded = false;

  constructor(meter: CurrentMeter, facts: SessionFacts) {
    this.#meter = meter;
    this.#facts = facts;
    this.#calls = new AgentCalls(facts.provider, facts.isFresh);
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

  /**
   * The application has closed the query. It may read what had arrived before, and each message of that is recorded
   * as any other.
   */
  left(): void {
    quietly('leaving a session', () => this.#settle(undefined));
  }

  /** The process ends. */
  close(): void {
    this.#end(undefined);
  }

  #read(message: JsonObject): void {
    const { type, subtype } = message;
    this.#calls.conversationId = text(message['session_id']) ?? this.#calls.conversationId;
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
    if (type !== 'result') this.#calls.passed(agent);
  }

  #assistant(message: JsonObject, agent: string): void {
    const reply = objectAt(message, 'message');
    if (reply === undefined) return;
    const context = this.#contextOf(agent);
    if (stringAt(reply, 'model') === SYNTHETIC) {
      const error = stringAt(message, 'error');
      if (error !== undefined) this.#calls.refused(error, agent, this.#model, context);
      return;
    }
    this.#calls.heard(reply, agent, context, message['aborted'] === true);
    for (const block of blocksOf(message, 'tool_use')) this.tools.begun(block, context);
  }

  #streamed(event: JsonObject | undefined, agent: string): void {
    if (event === undefined) return;
    const started = event['type'] === 'message_start' ? objectAt(event, 'message') : undefined;
    if (started !== undefined) this.#calls.started(started, agent, this.#contextOf(agent));
    this.#calls.streamed(event, agent);
  }

  #user(message: JsonObject): void {
    const status = stringAt(objectAt(message, 'tool_use_result'), 'status');
    for (const block of blocksOf(message, 'tool_result')) {
      const agent = text(block['tool_use_id']);
      if (agent !== undefined) this.#calls.settle(agent);
      this.tools.ended(block, status === 'async_launched');
    }
  }

  #result(message: JsonObject): void {
    this.#begin();
    this.#calls.turnEnded(message['modelUsage'], this.context);
    const { subtype, is_error: isError, api_error_status: status } = message;
    const failure = typeof status === 'number' ? String(status) : (text(subtype) ?? 'Error');
    this.#endTurn(isError === true ? failure : undefined);
  }

  #end(failure: string | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    registry.unregister(this);
    quietly('ending a session', () => this.#settle(failure));
  }

  #settle(failure: string | undefined): void {
    this.#calls.ended();
    this.tools.endAll();
    this.#endTurn(failure);
  }

  #begin(): void {
    if (this.#turn !== undefined) return;
    const { agentName: name, around: parent } = this.#facts;
    const calls = this.#meter();
    const audience = calls?.audience();
    const runId = this.#runId;
    const step = startStep(this.#meter, () => ({ kind: 'agent', name, parent, runId }));
    this.#runId ??= step && agentScopeOf(step.context)?.runId;
    this.#turn = { calls, audience, step, begun: now() };
    this.#calls.begin(this.#turn);
    calls?.open.held(this);
  }

  #endTurn(failure: string | undefined): void {
    this.#turn?.step?.end({ errorType: failure });
    this.#turn?.calls?.open.released(this);
    this.#turn = undefined;
  }

  #contextOf(agent: string): Context {
    return (agent === MAIN ? undefined : this.tools.contextOf(agent)) ?? this.context;
  }
}
