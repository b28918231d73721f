import { activeContext, runIn } from '../../context.ts';
import { quietly } from '../../host/quietly.ts';
import { fields, objectAt, stringAt } from '../../tokens/json.ts';
import { exportedOwner, isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { runTool } from '../tool-step.ts';
import { followed } from '../../call/followed.ts';
import { AgentRun, agentRun, withAgentRun } from './agent-run.ts';

interface Workflow {
  readonly rootAgentName?: unknown;
  readonly agents?: unknown;
}
interface Agent {
  readonly name?: unknown;
}
type Method<This> = (this: This, ...args: unknown[]) => unknown;

/**
 * Agents of LlamaIndex.TS, which an `AgentWorkflow` runs, one after the other where they hand over. Its handlers are
 * own members of each workflow; the methods that they call are patched. Model calls are made by the vendors' SDKs.
 */
export const llamaindex: SdkPatch = {
  moduleName: '@llamaindex/workflow',
  testedMajors: [1, 1],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const workflow = exportedOwner(moduleExports, 'runStream');
    if (workflow === undefined || !Object.hasOwn(workflow, 'callTool')) return 'unfit';
    if (isPatched(workflow, 'runStream')) return 'already-patched';
    replaceMethod<Method<Workflow>>(workflow, 'runStream', (original) => started(original, meter));
    replaceMethod<Method<Workflow>>(workflow, 'callTool', (original) => asTool(original, meter));
    return 'patched';
  },
};

function started(original: Method<Workflow>, meter: CurrentMeter): Method<Workflow> {
  return function (this: Workflow, ...args) {
    quietly('patching agents', () => {
      for (const agent of (this.agents as Map<string, Agent>).values()) patchAgent(agent);
    });
    const run = (): unknown => original.apply(this, args);
    const inside = quietly('starting a run', () => {
      if (meter()?.audience() === undefined) return undefined;
      const around = activeContext();
      const agents = new AgentRun(meter, around);
      agents.stepOf(stringAt(this, 'rootAgentName') ?? 'Agent');
      return withAgentRun(around, agents);
    });
    return inside === undefined ? run() : runIn(inside, run);
  };
}

/** The class may be the application's. */
function patchAgent(agent: Agent): void {
  const owner = ownerOf(agent, 'takeStep');
  if (owner === undefined || isPatched(owner, 'takeStep')) return;
  replaceMethod<Method<Agent>>(owner, 'takeStep', (original) => takingStep(original));
  for (const [name, isLast] of [
    ['finalize', isWithoutFormat],
    ['getStructuredOutput', () => true],
  ] as const) {
    const holder = ownerOf(agent, name);
    if (holder === undefined || isPatched(holder, name)) continue;
    replaceMethod<Method<Agent>>(holder, name, (original) => ending(original, isLast));
  }
}

/** A structured reply is asked for when everything else is done. */
function isWithoutFormat([state, output]: readonly unknown[]): boolean {
  const isHandover = stringAt(state, 'nextAgentName') !== undefined;
  return isHandover || fields(state)['responseFormat'] === undefined || output === undefined;
}

/** A call of the agent's model. */
function takingStep(original: Method<Agent>): Method<Agent> {
  return function (this: Agent, ...args) {
    const [agents, name] = [agentRun(activeContext()), stringAt(this, 'name') ?? 'Agent'];
    const step = agents?.stepOf(name);
    if (step === undefined) return original.apply(this, args);
    const fail = (error: unknown): void => agents?.ended(name, error);
    return followed(
      step.run(() => original.apply(this, args)),
      { onValue: () => undefined, onError: fail, onUnwatchable: () => undefined },
    );
  };
}

/** The last thing that an agent does. */
function ending(
  original: Method<Agent>,
  isLast: (args: readonly unknown[]) => boolean,
): Method<Agent> {
  return function (this: Agent, ...args) {
    const [agents, name] = [agentRun(activeContext()), stringAt(this, 'name') ?? 'Agent'];
    const step = agents?.stepOf(name);
    if (step === undefined || !isLast(args)) {
      return step === undefined
        ? original.apply(this, args)
        : step.run(() => original.apply(this, args));
    }
    const end = (): void => agents?.ended(name);
    return followed(
      step.run(() => original.apply(this, args)),
      { onValue: end, onError: (error) => agents?.ended(name, error), onUnwatchable: end },
    );
  };
}

function asTool(original: Method<Workflow>, meter: CurrentMeter): Method<Workflow> {
  return function (this: Workflow, ...args) {
    const [call] = args;
    const run = (): unknown =>
      runTool(
        meter,
        () => ({
          name: stringAt(call, 'toolName') ?? 'tool',
          callId: stringAt(call, 'toolId'),
          input: objectAt(call, 'toolKwargs'),
        }),
        () => original.apply(this, args),
      );
    const agent = stringAt(call, 'agentName');
    const step = agent === undefined ? undefined : agentRun(activeContext())?.stepOf(agent);
    return step === undefined ? run() : step.run(run);
  };
}
