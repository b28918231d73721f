/**
 * Facts of agents, tools and the Model Context Protocol: the model of open-telemetry/semantic-conventions-genai, with
 * the changes that the change log of 0.1.0 lists.
 */
import {
  conditional,
  optIn,
  recommended,
  required,
  type Attributes,
  type Level,
} from './genai-conventions.ts';

const FAILURE: Attributes = {
  'error.type': conditional('string', 'class of the error, or what the SDK reports'),
};

export const AGENT_SPAN: Attributes = {
  'gen_ai.operation.name': required('string', '`invoke_agent` or `invoke_workflow`'),
  ...FAILURE,
  'gen_ai.agent.description': conditional('string', 'options of `withAgent`'),
  'gen_ai.agent.name': conditional('string', 'the SDK, or options; of workflows too'),
  'gen_ai.agent.version': conditional('string', 'options of `withAgent`'),
  'gen_ai.conversation.id': conditional('string', 'user context'),
};

export const TOOL_SPAN: Attributes = {
  'gen_ai.operation.name': required('string', '`execute_tool`'),
  'gen_ai.tool.name': required('string', 'the SDK, or options of `withTool`'),
  ...FAILURE,
  'gen_ai.agent.name': recommended('string', 'the agent that runs the tool'),
  'gen_ai.tool.call.id': recommended('string', 'the SDK, or options'),
  'gen_ai.tool.description': recommended('string', 'the SDK, or options'),
  'gen_ai.tool.type': recommended('string', '`function`, or options'),
  'gen_ai.tool.call.arguments': optIn('text', 'with `captureContent`'),
  'gen_ai.tool.call.result': optIn('text', 'with `captureContent`'),
};

/** The same of clients and servers. */
export const MCP_SPAN: Attributes = {
  'mcp.method.name': required('string', '`method` of the request'),
  'error.type': conditional('string', 'code of JSON-RPC, `tool_error`, or class'),
  'gen_ai.prompt.name': conditional('string', '`name` of `prompts/get`'),
  'gen_ai.tool.name': conditional('string', '`name` of `tools/call`'),
  'jsonrpc.request.id': conditional('string', '`id` of the request'),
  'mcp.resource.uri': conditional('string', '`uri` of `resources/…`'),
  'rpc.response.status_code': conditional('string', 'code of JSON-RPC'),
  'gen_ai.operation.name': recommended('string', '`execute_tool` of `tools/call`'),
  'mcp.session.id': recommended('string', 'the transport'),
  'network.transport': recommended('string', 'class of the transport: `pipe` or `tcp`'),
  'gen_ai.tool.call.arguments': optIn('text', 'with `captureContent`'),
  'gen_ai.tool.call.result': optIn('text', 'with `captureContent`'),
};

export interface StepMetricFact {
  readonly unit: string;
  readonly buckets: readonly number[];
  readonly from: string;
  readonly attributes: Readonly<Record<string, Level>>;
}

const doubled = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => first * 2 ** index);
const AGENT_SECONDS = doubled(0.1, 13);
const TOOL_SECONDS = doubled(0.01, 14);
const CALLS = doubled(1, 8);
const MCP_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

const ofAgent = { 'gen_ai.agent.name': 'conditional' } as const;
const ofSession = { 'error.type': 'conditional', 'network.transport': 'recommended' } as const;
const ofOperation = {
  ...ofSession,
  'mcp.method.name': 'required',
  'gen_ai.prompt.name': 'conditional',
  'gen_ai.tool.name': 'conditional',
  'rpc.response.status_code': 'conditional',
} as const;

/** All of them are histograms, and recommended. */
export const STEP_METRICS: Readonly<Record<string, StepMetricFact>> = {
  'gen_ai.invoke_agent.duration': {
    unit: 's',
    buckets: AGENT_SECONDS,
    from: 'measured, of workflows too',
    attributes: { ...ofAgent, 'gen_ai.operation.name': 'required', 'error.type': 'conditional' },
  },
  'gen_ai.invoke_agent.inference_calls': {
    unit: '{inference_call}',
    buckets: CALLS,
    from: 'calls that the agent made itself, or 0',
    attributes: ofAgent,
  },
  'gen_ai.invoke_agent.tool_calls': {
    unit: '{tool_call}',
    buckets: CALLS,
    from: 'tools that the agent ran itself, or 0',
    attributes: ofAgent,
  },
  'gen_ai.execute_tool.duration': {
    unit: 's',
    buckets: TOOL_SECONDS,
    from: 'measured',
    attributes: {
      ...ofAgent,
      'gen_ai.tool.name': 'required',
      'gen_ai.tool.type': 'recommended',
      'error.type': 'conditional',
    },
  },
  'mcp.client.operation.duration': {
    unit: 's',
    buckets: MCP_SECONDS,
    from: 'measured',
    attributes: ofOperation,
  },
  'mcp.server.operation.duration': {
    unit: 's',
    buckets: MCP_SECONDS,
    from: 'measured',
    attributes: ofOperation,
  },
  'mcp.client.session.duration': {
    unit: 's',
    buckets: MCP_SECONDS,
    from: 'measured, from connection to its end',
    attributes: ofSession,
  },
  'mcp.server.session.duration': {
    unit: 's',
    buckets: MCP_SECONDS,
    from: 'measured, from connection to its end',
    attributes: ofSession,
  },
};
