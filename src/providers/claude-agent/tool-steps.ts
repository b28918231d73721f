import type { Context } from '@opentelemetry/api';
import type { OpenStep } from '../../agents/open-step.ts';
import { listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import type { CurrentMeter } from '../sdk-patch.ts';
import { startStep, startTool } from '../tool-step.ts';

/** The tool that runs a sub-agent, under its name of today and the one before. */
const AGENT_TOOLS: ReadonlySet<unknown> = new Set(['Agent', 'Task']);

interface ToolRun {
  readonly name: string;
  readonly step: OpenStep | undefined;
  /** The sub-agent that the tool runs. */
  readonly agent: OpenStep | undefined;
  hasEntered: boolean;
}

/** Tools that the agent's process runs, and the sub-agents in them, by the id of their use. */
export class ToolSteps {
  readonly #meter: CurrentMeter;
  readonly #open = new Map<string, ToolRun>();
  /** Of tools that this process runs and whose use has not been read yet. */
  readonly #early: ToolRun[] = [];

  constructor(meter: CurrentMeter) {
    this.#meter = meter;
  }

  /** `block`: a use of a tool in a message. */
  begun(block: JsonObject, parent: Context): void {
    const [id, name] = [stringAt(block, 'id'), stringAt(block, 'name')];
    if (id === undefined || name === undefined || this.#open.has(id)) return;
    const index = this.#early.findIndex((run) => run.name === name);
    const [early] = index < 0 ? [] : this.#early.splice(index, 1);
    this.#open.set(id, early ?? this.#start(name, parent, id, objectAt(block, 'input')));
  }

  /** `block`: a result of a tool in a message. A sub-agent in the background goes on. */
  ended(block: JsonObject, isInBackground: boolean): void {
    const id = stringAt(block, 'tool_use_id');
    const run = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || run === undefined) return;
    const errorType = block['is_error'] === true ? 'tool_error' : undefined;
    run.step?.end({ errorType, output: block['content'] });
    if (isInBackground && run.agent !== undefined) return;
    run.agent?.end({ errorType });
    this.#open.delete(id);
  }

  /** A sub-agent in the background is over. */
  agentEnded(id: string, errorType: string | undefined): void {
    this.#open.get(id)?.agent?.end({ errorType });
    this.#open.delete(id);
  }

  /** In which the sub-agent of this tool works. */
  contextOf(id: string): Context | undefined {
    const run = this.#open.get(id);
    return (run?.agent ?? run?.step)?.context;
  }

  /**
   * The step of a tool that this process runs: `id` where the request says it, otherwise the first of this name.
   * Its use may not have been read yet.
   */
  entered(name: string, id: string | undefined, parent: Context): OpenStep | undefined {
    const known = id === undefined ? this.#next(name) : this.#open.get(id);
    const run = known ?? this.#start(name, parent, id, undefined);
    if (known === undefined && id === undefined) this.#early.push(run);
    else if (known === undefined && id !== undefined) this.#open.set(id, run);
    run.hasEntered = true;
    return run.step;
  }

  endAll(): void {
    for (const { step, agent } of [...this.#open.values(), ...this.#early]) {
      agent?.end();
      step?.end();
    }
    this.#open.clear();
    this.#early.length = 0;
  }

  #next(name: string): ToolRun | undefined {
    for (const run of this.#open.values()) if (run.name === name && !run.hasEntered) return run;
    return undefined;
  }

  #start(name: string, parent: Context, callId: string | undefined, input: unknown): ToolRun {
    const step = startTool(this.#meter, () => ({ name, callId, input, parent }));
    const agent = AGENT_TOOLS.has(name)
      ? startStep(this.#meter, () => ({
          kind: 'agent',
          name: stringAt(input, 'subagent_type') ?? 'general-purpose',
          parent: step?.context ?? parent,
        }))
      : undefined;
    return { name, step, agent, hasEntered: false };
  }
}

/** Parts of a message that are of this type. */
export function blocksOf(message: unknown, type: string): readonly JsonObject[] {
  return listOf(objectAt(message, 'message')?.['content']).filter(
    (block): block is JsonObject => stringAt(block, 'type') === type,
  );
}
