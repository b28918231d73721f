import { propagation, SpanKind, trace, type Context } from '@opentelemetry/api';
import { agentScopeOf } from '../../agents/agent-scope.ts';
import type { OpenStep } from '../../agents/open-step.ts';
import type { OpenOperation } from '../../agents/operation.ts';
import { followed } from '../../call/followed.ts';
import { activeContext } from '../../context.ts';
import type { AgentStep } from '../../domain/agent-step.ts';
import { quietly } from '../../host/quietly.ts';
import { isObject, objectAt } from '../../tokens/json.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { startStep } from '../tool-step.ts';
import { endWithError, endWithResult } from './end-of-request.ts';
import {
  ON_METRICS,
  type Protocol,
  requestAttributes,
  requestFacts,
  spanName,
  transportAttributes,
} from './protocol-attributes.ts';

type Method = (this: Protocol, ...args: unknown[]) => unknown;
type Handler = (request: unknown, extra: unknown) => unknown;

/** Sessions by their protocol object. */
const sessions = new WeakMap<object, OpenOperation>();
const wrapped = new WeakSet<Handler>();
/** Steps of agents whose span stands for a request already. */
const requested = new WeakSet<AgentStep>();

/**
 * The Model Context Protocol: requests of clients and servers, by the `Protocol` that both inherit from. A tool that a
 * client calls is a step of the run it is called in; on a server it is the step that the tool's own calls are made in.
 * Trace context travels in `_meta`.
 */
export const mcp: SdkPatch = {
  moduleName: '@modelcontextprotocol/sdk',
  isEntered: false,
  entries: ['client', 'server', 'client/index.js', 'server/index.js', 'server/mcp.js'].map(
    (name) => ({ name, file: fileOf(name) }),
  ),
  testedMajors: [1, 1],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const exported = (moduleExports ?? {}) as Readonly<
      Record<string, { readonly prototype?: unknown } | undefined>
    >;
    const outcomes = ['Client', 'Server'].flatMap((name) => {
      const owner = ownerOf(exported[name]?.prototype, '_onrequest');
      return owner === undefined ? [] : [patchProtocol(owner, meter)];
    });
    const mcpServer = ownerOf(exported['McpServer']?.prototype, 'connect');
    if (mcpServer !== undefined) outcomes.push(patchMcpServer(mcpServer, meter));
    if (outcomes.length === 0) return 'unfit';
    return outcomes.includes('patched') ? 'patched' : 'already-patched';
  },
};

function fileOf(name: string): string {
  return `dist/cjs/${name.endsWith('.js') ? name : `${name}/index.js`}`;
}

/** Has its `Server` in a member: the class may have been loaded from inside the package alone. */
function patchMcpServer(owner: object, meter: CurrentMeter): PatchOutcome {
  if (isPatched(owner, 'connect')) return 'already-patched';
  replaceMethod<Method>(
    owner,
    'connect',
    (original) =>
      function (this: Protocol, ...args) {
        quietly('patching an MCP server', () => {
          const protocol = ownerOf(objectAt(this, 'server'), '_onrequest');
          if (protocol !== undefined) patchProtocol(protocol, meter);
        });
        return original.apply(this, args);
      },
  );
  return 'patched';
}

function patchProtocol(owner: object, meter: CurrentMeter): PatchOutcome {
  if (isPatched(owner, 'request')) return 'already-patched';
  replaceMethod<Method>(owner, 'request', (original) => sending(original, meter));
  replaceMethod<Method>(owner, '_onrequest', (original) => receiving(original, meter));
  replaceMethod<Method>(owner, 'connect', (original) => connecting(original, meter));
  replaceMethod<Method>(
    owner,
    '_onclose',
    (original) =>
      function (this: Protocol, ...args) {
        sessions.get(this)?.end();
        return original.apply(this, args);
      },
  );
  return 'patched';
}

/** A request to the other side. */
function sending(original: Method, meter: CurrentMeter): Method {
  return function (this: Protocol, ...args) {
    const [request, ...rest] = args;
    const begun = quietly('starting a request', () => beginSending(this, request, meter));
    if (begun === undefined) return original.apply(this, args);
    const { operation, step } = begun;
    const context = step?.context ?? operation.context;
    const sent = quietly('passing trace context on', () => {
      const carrier: Record<string, string> = {};
      propagation.inject(context, carrier);
      return withMeta(request, carrier);
    });
    const run = <T>(fn: () => T): T => (step === undefined ? operation.run(fn) : step.run(fn));
    return followed(
      run(() => original.call(this, sent ?? request, ...rest)),
      {
        onValue: (value) => endWithResult(operation, step, value),
        onError: (error) => endWithError(operation, step, error),
        onUnwatchable: () => operation.end(),
      },
    );
  };
}

interface Begun {
  readonly operation: OpenOperation;
  readonly step: OpenStep | undefined;
}

function beginSending(
  protocol: Protocol,
  request: unknown,
  meter: CurrentMeter,
): Begun | undefined {
  const facts = requestFacts(request);
  const calls = meter();
  if (facts === undefined || calls === undefined) return undefined;
  const active = activeContext();
  const attributes = requestAttributes(facts, protocol, protocol._requestMessageId);
  // The agent's SDK has begun the step of this tool, and the application no span of its own in it.
  const isInside = isInTool(facts.tool);
  const last = lastStep(active);
  const isStep =
    isInside &&
    last !== undefined &&
    !requested.has(last) &&
    trace.getSpanContext(active)?.spanId === last.id;
  const operation = calls.startOperation({
    metric: 'mcp.client.operation.duration',
    span: isStep ? undefined : { name: spanName(facts), kind: SpanKind.CLIENT },
    attributes,
    onMetric: ON_METRICS,
  });
  if (operation === undefined) return undefined;
  if (isStep) {
    requested.add(last);
    trace.getSpan(active)?.setAttributes(attributes);
  }
  const { tool, params } = facts;
  if (isInside || tool === undefined) return { operation, step: undefined };
  const step = startStep(meter, () => ({
    kind: 'tool',
    name: tool,
    span: operation.span,
    parent: operation.context,
    input: objectAt(params, 'arguments'),
  }));
  return { operation, step };
}

function lastStep(of: Context): AgentStep | undefined {
  return agentScopeOf(of)?.steps.at(-1);
}

function isInTool(tool: string | undefined): boolean {
  const last = lastStep(activeContext());
  return tool !== undefined && last?.kind === 'tool' && last.name === tool;
}

/** A copy of the request; the caller's object stays as it is. */
function withMeta(request: unknown, carrier: Readonly<Record<string, string>>): unknown {
  if (!isObject(request) || Object.keys(carrier).length === 0) return request;
  const params = objectAt(request, 'params');
  const meta = { ...objectAt(params, '_meta'), ...carrier };
  return { ...request, params: { ...params, _meta: meta } };
}

/** A request from the other side: its handler is wrapped when it is first asked. */
function receiving(original: Method, meter: CurrentMeter): Method {
  return function (this: Protocol, ...args) {
    const fallback = quietly('preparing a handler', () => prepare(this, args[0], meter));
    if (fallback === undefined) return original.apply(this, args);
    const { fallbackRequestHandler: own } = this;
    // It is read at once: the property is the application's.
    this.fallbackRequestHandler = fallback;
    try {
      return original.apply(this, args);
    } finally {
      this.fallbackRequestHandler = own;
    }
  };
}

/** The one to be asked in place of the application's own for everything else, where there is no other. */
function prepare(protocol: Protocol, request: unknown, meter: CurrentMeter): Handler | undefined {
  const facts = requestFacts(request);
  const { _requestHandlers: handlers, fallbackRequestHandler: fallback } = protocol;
  if (facts === undefined || !(handlers instanceof Map)) return undefined;
  const handler = handlers.get(facts.method) as Handler | undefined;
  if (handler === undefined) {
    if (typeof fallback !== 'function') return undefined;
    return handling(protocol, fallback as Handler, meter);
  }
  if (wrapped.has(handler)) return undefined;
  const next = handling(protocol, handler, meter);
  wrapped.add(next);
  handlers.set(facts.method, next);
  return undefined;
}

function handling(protocol: Protocol, handler: Handler, meter: CurrentMeter): Handler {
  return function (request, extra) {
    const begun = quietly('starting a request', () =>
      beginHandling(protocol, request, extra, meter),
    );
    if (begun === undefined) return handler(request, extra);
    const { operation, step } = begun;
    const run = <T>(fn: () => T): T => (step === undefined ? operation.run(fn) : step.run(fn));
    return run(async () => {
      try {
        const result = await handler(request, extra);
        endWithResult(operation, step, result);
        return result;
      } catch (error) {
        quietly('ending a request', () => endWithError(operation, step, error));
        throw error;
      }
    });
  };
}

function beginHandling(
  protocol: Protocol,
  request: unknown,
  extra: unknown,
  meter: CurrentMeter,
): Begun | undefined {
  const facts = requestFacts(request);
  const calls = meter();
  if (facts === undefined || calls === undefined) return undefined;
  const active = activeContext();
  const meta = objectAt(facts.params, '_meta');
  const parent = meta === undefined ? active : propagation.extract(active, meta);
  const [ambient, remote] = [trace.getSpanContext(active), trace.getSpanContext(parent)];
  const isOther = ambient !== undefined && ambient.spanId !== remote?.spanId;
  const operation = calls.startOperation({
    metric: 'mcp.server.operation.duration',
    span: { name: spanName(facts), kind: SpanKind.SERVER },
    attributes: requestAttributes(
      facts,
      protocol,
      isObject(extra) ? extra['requestId'] : undefined,
    ),
    onMetric: ON_METRICS,
    parent,
    ...(isOther && { links: [{ context: ambient }] }),
  });
  const { tool, params } = facts;
  if (operation === undefined) return undefined;
  // A client in this process has begun the step.
  if (tool === undefined || isInTool(tool)) return { operation, step: undefined };
  const step = startStep(meter, () => ({
    kind: 'tool',
    name: tool,
    span: operation.span,
    parent: operation.context,
    isCounted: false,
    input: objectAt(params, 'arguments'),
  }));
  return { operation, step };
}

/** From the start of the transport to its end. */
function connecting(original: Method, meter: CurrentMeter): Method {
  return async function (this: Protocol, ...args) {
    const result: unknown = await original.apply(this, args);
    quietly('starting a session', () => {
      const isClient = typeof (this as { callTool?: unknown }).callTool === 'function';
      const session = meter()?.startOperation({
        metric: `mcp.${isClient ? 'client' : 'server'}.session.duration`,
        attributes: transportAttributes(this),
        onMetric: ON_METRICS,
      });
      if (session !== undefined) sessions.set(this, session);
    });
    return result;
  };
}
