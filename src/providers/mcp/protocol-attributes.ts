import type { Attributes } from '@opentelemetry/api';
import { ATTR, ATTR_MCP, ATTR_REQUEST, ATTR_TOOL, STEP_OPERATION } from '../../otel/semconv.ts';
import { objectAt, stringAt } from '../../tokens/json.ts';

/** The part of the SDK's `Protocol` that is used here, client or server. */
export interface Protocol {
  readonly transport?: unknown;
  readonly _requestMessageId?: unknown;
  readonly _requestHandlers?: unknown;
  fallbackRequestHandler?: unknown;
}

/** Attributes of requests that metrics have too: few values each. */
export const ON_METRICS: readonly string[] = [
  ATTR_MCP.method,
  ATTR_MCP.transport,
  ATTR_MCP.statusCode,
  ATTR_TOOL.name,
  ATTR_REQUEST.promptName,
];

export interface RequestFacts {
  readonly method: string;
  readonly params: unknown;
  /** Name of the tool of `tools/call`. */
  readonly tool: string | undefined;
}

export function requestFacts(request: unknown): RequestFacts | undefined {
  const method = stringAt(request, 'method');
  if (method === undefined) return undefined;
  const params = objectAt(request, 'params');
  const tool = method === 'tools/call' ? stringAt(params, 'name') : undefined;
  return { method, params, tool };
}

/** Method, and tool or prompt. */
export function spanName({ method, params, tool }: RequestFacts): string {
  const target = tool ?? (method === 'prompts/get' ? stringAt(params, 'name') : undefined);
  return target === undefined ? method : `${method} ${target}`;
}

export function requestAttributes(
  { method, params, tool }: RequestFacts,
  protocol: Protocol,
  id: unknown,
): Attributes {
  const prompt = method === 'prompts/get' ? stringAt(params, 'name') : undefined;
  const uri = method.startsWith('resources/') ? stringAt(params, 'uri') : undefined;
  return {
    [ATTR_MCP.method]: method,
    ...transportAttributes(protocol),
    ...((typeof id === 'number' || typeof id === 'string') && { [ATTR_MCP.requestId]: String(id) }),
    ...(tool !== undefined && {
      [ATTR.operationName]: STEP_OPERATION.tool,
      [ATTR_TOOL.name]: tool,
    }),
    ...(prompt !== undefined && { [ATTR_REQUEST.promptName]: prompt }),
    ...(uri !== undefined && { [ATTR_MCP.resourceUri]: uri }),
  };
}

/** `pipe` of standard input and output, `tcp` of HTTP and WebSockets. */
export function transportAttributes({ transport }: Protocol): Attributes {
  const kind = (transport as object | undefined)?.constructor?.name ?? '';
  const sessionId = stringAt(transport, 'sessionId');
  return {
    ...(/stdio/i.test(kind) && { [ATTR_MCP.transport]: 'pipe' }),
    ...(/http|sse|websocket/i.test(kind) && { [ATTR_MCP.transport]: 'tcp' }),
    ...(sessionId !== undefined && { [ATTR_MCP.sessionId]: sessionId }),
  };
}
