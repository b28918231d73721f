import { createContextKey, trace, type Context } from '@opentelemetry/api';
import { observeGenerator } from '../../call/observed-stream.ts';
import { activeContext, runIn } from '../../context.ts';
import { setOwn } from '../../host/own-property.ts';
import { quietly } from '../../host/quietly.ts';
import {
  fields,
  isObject,
  listOf,
  objectAt,
  stringAt,
  text,
  type JsonObject,
} from '../../tokens/json.ts';
import { withReplaced } from '../replaced-exports.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { runTool } from '../tool-step.ts';
import { AgentSession } from './agent-session.ts';
import {
  environmentOf,
  hasTelemetry,
  markedEnvironment,
  providerOf,
} from './process-environment.ts';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Wrap = (original: AnyFunction, meter: CurrentMeter) => AnyFunction;

/** The session whose process has asked for what is running. */
const SESSION = createContextKey('otel-token-meter agent session');
const PATCHED = new WeakSet<object>();

const WRAPPED: Readonly<Record<string, Wrap>> = {
  query: (original, meter) =>
    function (this: unknown, ...args) {
      return asked(args, meter, (passed) => original.apply(this, passed));
    },
  startup: (original, meter) =>
    function (this: unknown, ...args) {
      return warmed('query', args, meter, (passed) => original.apply(this, passed));
    },
  prewarm: (original, meter) =>
    function (this: unknown, ...args) {
      return warmed('claim', args, meter, (passed) => original.apply(this, passed));
    },
  createSdkMcpServer: (original, meter) =>
    function (this: unknown, ...args) {
      const [options, ...rest] = args;
      const served = quietly('reading tools', () => withSteps(options, meter)) ?? options;
      return original.call(this, served, ...rest);
    },
};

/**
 * The Claude Agent SDK runs Claude Code in a process of its own and hands out what it reports: model calls, tools,
 * sub-agents, and the tokens of each turn. Its functions are exports of an ES module.
 */
export const claudeAgent: SdkPatch = {
  moduleName: '@anthropic-ai/claude-agent-sdk',
  testedMajors: [0, 0],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const replaced = replacements(moduleExports, meter);
    if (replaced === undefined) return 'unfit';
    if (replaced.size === 0) return 'already-patched';
    const exported = moduleExports as object;
    return [...replaced].every(([name, value]) => Reflect.set(exported, name, value))
      ? 'patched'
      : 'unfit';
  },
  wrapExports(moduleExports: unknown, meter: CurrentMeter): unknown {
    const replaced = replacements(moduleExports, meter);
    return replaced === undefined ? moduleExports : withReplaced(moduleExports as object, replaced);
  },
};

/** Undefined for a module that is not this SDK. */
function replacements(
  moduleExports: unknown,
  meter: CurrentMeter,
): ReadonlyMap<string, AnyFunction> | undefined {
  const exported = fields(moduleExports);
  if (typeof exported['query'] !== 'function') return undefined;
  const replaced = new Map<string, AnyFunction>();
  for (const [name, wrap] of Object.entries(WRAPPED)) {
    const original = exported[name];
    if (typeof original !== 'function' || PATCHED.has(original)) continue;
    const wrapper = wrap(original as AnyFunction, meter);
    Object.defineProperties(wrapper, {
      name: { value: original.name, configurable: true },
      length: { value: original.length, configurable: true },
    });
    PATCHED.add(wrapper);
    replaced.set(name, wrapper);
  }
  return replaced;
}

function asked(
  args: readonly unknown[],
  meter: CurrentMeter,
  invoke: (args: unknown[]) => unknown,
): unknown {
  const [parameters, ...rest] = args;
  const session = quietly('starting a session', () =>
    isReportedElsewhere(parameters, meter) ? undefined : begun(parameters, meter),
  );
  if (session === undefined) return invoke([...args]);
  const passed = quietly('passing options on', () => marked(parameters, session.context));
  return inSession(session, () => invoke([passed ?? parameters, ...rest]));
}

/** A process that is started before its question is known. `method`: asks it, and returns the query. */
async function warmed(
  method: 'query' | 'claim',
  args: readonly unknown[],
  meter: CurrentMeter,
  invoke: (args: unknown[]) => unknown,
): Promise<unknown> {
  const [parameters, ...rest] = args;
  const isElsewhere = quietly('reading options', () => isReportedElsewhere(parameters, meter));
  if (isElsewhere !== false) return await invoke([...args]);
  const passed = quietly('passing options on', () => marked(parameters, activeContext()));
  const warm = await (invoke([passed ?? parameters, ...rest]) as Promise<object>);
  quietly('watching a process', () => {
    const original = (warm as Readonly<Record<string, unknown>>)[method];
    if (typeof original !== 'function') return;
    const ask = original.bind(warm) as AnyFunction;
    setOwn(warm, method, (...asking: unknown[]) => {
      const session = quietly('starting a session', () => begun(parameters, meter));
      if (session === undefined) return ask(...asking);
      quietly('watching a process', () => observeLeaving(warm, session));
      return inSession(session, () => ask(...asking));
    });
  });
  return warm;
}

/** While metering is off the telemetry of the process is the only report of its calls. */
function isReportedElsewhere(parameters: unknown, meter: CurrentMeter): boolean {
  const options = objectAt(parameters, 'options') ?? {};
  return meter()?.audience() === undefined && hasTelemetry(environmentOf(options, process.env));
}

function begun(parameters: unknown, meter: CurrentMeter): AgentSession {
  const options = objectAt(parameters, 'options') ?? {};
  return new AgentSession(meter, {
    agentName: text(options['agent']) ?? 'claude-code',
    provider: providerOf(environmentOf(options, process.env)),
    isFresh: options['resume'] === undefined && options['continue'] !== true,
    around: activeContext(),
  });
}

/** A copy of the parameters; the application's objects stay as they are. Undefined where nothing is added. */
function marked(parameters: unknown, inside: Context): unknown {
  const options = objectAt(parameters, 'options') ?? {};
  const env = markedEnvironment(options, process.env, inside);
  return env && { ...(parameters as JsonObject), options: { ...options, env } };
}

/** What the application does for the process is no step of the agent, but for its tools. */
function inSession(session: AgentSession, invoke: () => unknown): unknown {
  const span = trace.getSpan(session.context);
  const active = activeContext().setValue(SESSION, session);
  const inside = span === undefined ? active : trace.setSpan(active, span);
  let query: unknown;
  try {
    query = runIn(inside, invoke);
  } catch (error) {
    session.failed(error);
    throw error;
  }
  const isWatched = quietly('watching messages', () => {
    const messages = messagesOf(query);
    if (messages !== undefined) {
      observeGenerator(messages, session);
      observeLeaving(query as object, session);
    }
    return messages !== undefined;
  });
  if (isWatched !== true) session.streamEnded();
  return query;
}

/** Ways to end a session that do not pass through its messages. */
function observeLeaving(handle: object, session: AgentSession): void {
  for (const name of ['close', Symbol.asyncDispose] as const) {
    const original = (handle as Readonly<Record<PropertyKey, unknown>>)[name];
    if (typeof original !== 'function') continue;
    setOwn(handle, name, function (this: unknown, ...args: unknown[]): unknown {
      session.left();
      return original.apply(this, args) as unknown;
    });
  }
}

/** The generator that every way of reading goes through. */
function messagesOf(query: unknown): AsyncIterator<unknown> | undefined {
  const iterate = (query as Partial<AsyncIterable<unknown>> | undefined)?.[Symbol.asyncIterator];
  return typeof iterate === 'function'
    ? (iterate.call(query) as AsyncIterator<unknown>)
    : undefined;
}

/** Tools that this process runs for the agent's, as copies. */
function withSteps(options: unknown, meter: CurrentMeter): unknown {
  if (!isObject(options) || !Array.isArray(options['tools'])) return undefined;
  const server = stringAt(options, 'name') ?? 'sdk';
  return {
    ...options,
    tools: listOf(options['tools']).map((tool) => withStep(tool, server, meter)),
  };
}

function withStep(tool: unknown, server: string, meter: CurrentMeter): unknown {
  const name = stringAt(tool, 'name');
  if (!isObject(tool) || name === undefined || typeof tool['handler'] !== 'function') return tool;
  const original = tool['handler'] as AnyFunction;
  const handler: AnyFunction = function (this: unknown, ...args) {
    const run = (): unknown => original.apply(this, args);
    const session = activeContext().getValue(SESSION) as AgentSession | undefined;
    if (session === undefined) return runTool(meter, () => ({ name, input: args[0] }), run);
    const id = stringAt(objectAt(args[1], '_meta'), 'claudecode/toolUseId');
    const step = quietly('starting a step', () =>
      session.tools.entered(`mcp__${server}__${name}`, id, session.context),
    );
    return step === undefined ? run() : step.run(run);
  };
  return { ...tool, handler };
}
