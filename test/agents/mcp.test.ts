import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import {
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type TextMapPropagator,
} from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { OpenAI } from 'openai';
import { z } from 'zod';
import {
  flush,
  TokenMeterInstrumentation,
  withAgent,
  withTool,
  type UsageRecord,
} from '../../src/index.ts';
import { AGENT_SCRIPTS } from '../support/agent-run.ts';
import { loadTogether } from '../support/sdk-versions.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

interface Result {
  readonly isError?: boolean;
  readonly content: readonly { readonly text?: string }[];
}
interface McpClient {
  connect(transport: unknown): Promise<void>;
  callTool(call: { readonly name: string; readonly arguments?: object }): Promise<Result>;
  listTools(): Promise<unknown>;
  readResource(resource: { readonly uri: string }): Promise<unknown>;
  close(): Promise<void>;
}
interface McpServer {
  readonly server: { fallbackRequestHandler?: unknown };
  registerTool(name: string, options: object, run: (input: never) => unknown): void;
  connect(transport: unknown): Promise<void>;
  close(): Promise<void>;
}
interface HttpTransport {
  handleRequest(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void>;
}

/** The parts of `@modelcontextprotocol/sdk` that are used here. */
interface Sdk {
  readonly Client: new (info: object) => McpClient;
  readonly McpServer: new (info: object) => McpServer;
  readonly StreamableHTTPClientTransport: new (url: URL) => unknown;
  readonly StreamableHTTPServerTransport: new (options: object) => HttpTransport;
  readonly InMemoryTransport: { createLinkedPair(): readonly [unknown, unknown] };
}

/** As SDKs register it. */
const W3C: TextMapPropagator = {
  fields: () => ['traceparent'],
  inject(context, carrier, setter) {
    const { traceId, spanId, traceFlags } = trace.getSpanContext(context) ?? {};
    if (traceId === undefined) return;
    setter.set(carrier, 'traceparent', `00-${traceId}-${spanId}-0${traceFlags}`);
  },
  extract(context, carrier, getter) {
    const header = String(getter.get(carrier, 'traceparent') ?? '');
    const [, traceId, spanId, flags] = /^00-(\w{32})-(\w{16})-0(\d)$/.exec(header) ?? [];
    if (traceId === undefined || spanId === undefined) return context;
    const remote = { traceId, spanId, traceFlags: Number(flags), isRemote: true };
    return trace.setSpanContext(context, remote);
  },
};

describe('the Model Context Protocol', () => {
  let wire: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let sdk: Sdk;
  let openai: OpenAI;
  let http: Server;
  let received: unknown[] = [];
  let records: UsageRecord[] = [];

  before(async () => {
    wire = await startWireServer();
    telemetry = startTelemetry();
    propagation.setGlobalPropagator(W3C);
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    instrumentation.instrument('openai', OpenAI);
    const [client, server, ...rest] = loadTogether(
      [
        'client/index.js',
        'server/mcp.js',
        'client/streamableHttp.js',
        'server/streamableHttp.js',
        'inMemory.js',
      ].map((name) => `@modelcontextprotocol/sdk/${name}`),
      'mcp',
    );
    instrumentation.instrument('@modelcontextprotocol/sdk/client/index.js', client);
    instrumentation.instrument('@modelcontextprotocol/sdk/server/mcp.js', server);
    sdk = Object.assign({}, client, server, ...rest) as Sdk;
    openai = new OpenAI({ baseURL: `${wire.url}/v1`, apiKey: 'none', maxRetries: 0 });
    // Stateless: a server for each request, as behind a load balancer.
    http = createServer((request, response) => {
      void (async () => {
        const body = request.method === 'POST' ? await json(request) : undefined;
        received.push(body);
        const transport = new sdk.StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
        const server = toolServer();
        response.once('close', () => void server.close());
        await server.connect(transport);
        await transport.handleRequest(request, response, body);
      })();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(async () => {
    // Records of the test before may still be on their way.
    await flush();
    records = [];
    received = [];
    telemetry.reset();
  });
  after(async () => {
    instrumentation.disable();
    propagation.disable();
    http.closeAllConnections();
    http.close();
    await telemetry.close();
    await wire.close();
  });

  function toolServer(): McpServer {
    const server = new sdk.McpServer({ name: 'tides', version: '1.0.0' });
    server.registerTool(
      'search',
      { inputSchema: { query: z.string() } },
      async ({ query }: { query: string }) => {
        const { choices } = await openai.chat.completions.create({
          model: 'gpt-4o',
          messages: [{ role: 'user', content: query }],
        });
        return { content: [{ type: 'text', text: choices[0]?.message.content ?? '' }] };
      },
    );
    server.registerTool('fail', {}, () => {
      throw new Error('no tide');
    });
    return server;
  }

  async function overHttp(): Promise<McpClient> {
    const client = new sdk.Client({ name: 'planner', version: '1.0.0' });
    const { port } = http.address() as AddressInfo;
    await client.connect(
      new sdk.StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)),
    );
    return client;
  }

  const span = (name: string, kind: SpanKind): ReadableSpan => {
    const found = telemetry.spans().filter((one) => one.name === name && one.kind === kind);
    assert.equal(found.length, 1, `${name} ${kind}`);
    return found[0] as ReadableSpan;
  };
  const points = async (
    name: string,
  ): Promise<readonly { attributes: object; value: Histogram }[]> => {
    const metric = (await telemetry.metrics()).find(({ descriptor }) => descriptor.name === name);
    return (metric?.dataPoints ?? []) as { attributes: object; value: Histogram }[];
  };

  it('passes the trace on, and the calls of a tool are those of the tool on both sides', async () => {
    wire.play(AGENT_SCRIPTS[1] ?? AGENT_SCRIPTS[0]);
    const client = await overHttp();
    const call = { name: 'search', arguments: { query: 'tide' } };
    const sent = structuredClone(call);
    const result = await withAgent({ name: 'planner' }, () => client.callTool(call));
    await client.close();
    await flush();
    assert.equal(result.content[0]?.text, 'Twice a day.');
    assert.deepEqual(call, sent, 'the request of the application stays as it is');
    const agent = span('invoke_agent planner', SpanKind.INTERNAL);
    const asked = span('tools/call search', SpanKind.CLIENT);
    const served = span('tools/call search', SpanKind.SERVER);
    const chat = span('chat gpt-4o', SpanKind.CLIENT);
    assert.deepEqual(
      [asked, served, chat].map((one) => one.parentSpanContext?.spanId),
      [agent, asked, served].map((one) => one.spanContext().spanId),
    );
    assert.partialDeepStrictEqual(asked.attributes, {
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
      'gen_ai.agent.name': 'planner',
      'network.transport': 'tcp',
      'jsonrpc.request.id': '1',
    });
    assert.partialDeepStrictEqual(served.attributes, {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'search',
      'jsonrpc.request.id': '1',
    });
    const body = received.find((one) => JSON.stringify(one ?? null).includes('tools/call'));
    const { spanId, traceId } = asked.spanContext();
    assert.partialDeepStrictEqual(body, {
      params: { _meta: { traceparent: `00-${traceId}-${spanId}-01` } },
    });
    const [record] = records;
    assert.equal(record?.toolName, 'search');
    assert.equal(record?.agentName, undefined, 'the agent is in another process');
    assert.equal(record?.traceId, traceId);
    const ofAgent = await points('gen_ai.invoke_agent.tool_calls');
    assert.equal(ofAgent[0]?.value.sum, 1);
    const tools = await points('gen_ai.execute_tool.duration');
    assert.equal(tools[0]?.value.count, 1, 'counted where it is called');
  });

  it('leaves a span of the application inside the tool as it is', async () => {
    wire.play(AGENT_SCRIPTS[1] ?? AGENT_SCRIPTS[0]);
    const client = await overHttp();
    const call = { name: 'search', arguments: { query: 'tide' } };
    await withTool({ name: 'search' }, async () => {
      await trace.getTracer('application').startActiveSpan('look up', async (own) => {
        await client.callTool(call);
        own.end();
      });
    });
    await client.close();
    assert.deepEqual(span('look up', SpanKind.INTERNAL).attributes, {});
    const asked = span('tools/call search', SpanKind.CLIENT);
    assert.equal(
      asked.parentSpanContext?.spanId,
      span('look up', SpanKind.INTERNAL).spanContext().spanId,
    );
  });

  it('has the duration of requests and sessions by method, tool and error', async () => {
    const client = await overHttp();
    assert.equal((await client.callTool({ name: 'fail' })).isError, true);
    await client.listTools();
    await assert.rejects(client.readResource({ uri: 'tide://unknown' }));
    await client.close();
    const asked = (await points('mcp.client.operation.duration')).map(
      ({ attributes }) => attributes,
    );
    const served = (await points('mcp.server.operation.duration')).map(
      ({ attributes }) => attributes,
    );
    for (const attributes of [asked, served]) {
      assert.ok(
        attributes.some(
          (one) =>
            JSON.stringify(one) ===
            JSON.stringify({ ...one, 'gen_ai.tool.name': 'fail', 'error.type': 'tool_error' }),
        ),
      );
      assert.ok(attributes.some((one) => Object.values(one).includes('tools/list')));
    }
    assert.ok(asked.some((one) => Object.values(one).includes('-32601')));
    const failed = span('tools/call fail', SpanKind.CLIENT);
    assert.equal(failed.status.code, SpanStatusCode.ERROR);
    assert.equal(failed.attributes['error.type'], 'tool_error');
    assert.equal(
      span('resources/read', SpanKind.CLIENT).attributes['rpc.response.status_code'],
      '-32601',
    );
    assert.ok((await points('mcp.client.session.duration')).length > 0);
    assert.ok((await points('mcp.server.session.duration')).length > 0);
  });

  it('leaves the step of a tool to the agent that has begun it, also in one process', async () => {
    const [near, far] = sdk.InMemoryTransport.createLinkedPair();
    const server = toolServer();
    const client = new sdk.Client({ name: 'planner', version: '1.0.0' });
    await Promise.all([server.connect(far), client.connect(near)]);
    wire.play(AGENT_SCRIPTS[1] ?? AGENT_SCRIPTS[0]);
    await withAgent({ name: 'planner' }, () =>
      withTool({ name: 'search' }, () =>
        client.callTool({ name: 'search', arguments: { query: 'tide' } }),
      ),
    );
    await client.close();
    await flush();
    assert.deepEqual(
      records[0]?.steps?.map(({ kind, name }) => `${kind} ${name}`),
      ['agent planner', 'tool search'],
    );
    const own = span('execute_tool search', SpanKind.INTERNAL);
    assert.equal(own.attributes['mcp.method.name'], 'tools/call');
    assert.deepEqual(
      telemetry
        .spans()
        .filter(({ name, kind }) => name === 'tools/call search' && kind === SpanKind.CLIENT),
      [],
    );
    const served = span('tools/call search', SpanKind.SERVER);
    assert.equal(served.parentSpanContext?.spanId, own.spanContext().spanId);
  });

  it('a second request of a tool within its step has a span of its own', async () => {
    wire.playBy(() => AGENT_SCRIPTS[1] ?? AGENT_SCRIPTS[0]);
    const client = await overHttp();
    const call = { name: 'search', arguments: { query: 'tide' } };
    await withTool({ name: 'search' }, async () => {
      await client.callTool(call);
      await client.callTool(call);
    });
    await client.close();
    const own = span('execute_tool search', SpanKind.INTERNAL);
    const second = span('tools/call search', SpanKind.CLIENT);
    assert.deepEqual(
      [own, second].map(({ attributes }) => attributes['jsonrpc.request.id']),
      ['1', '2'],
    );
    assert.equal(second.parentSpanContext?.spanId, own.spanContext().spanId);
    const served = telemetry
      .spans()
      .filter(({ name, kind }) => name === 'tools/call search' && kind === SpanKind.SERVER);
    assert.deepEqual(
      served.map(({ parentSpanContext }) => parentSpanContext?.spanId),
      [own, second].map((one) => one.spanContext().spanId),
    );
  });

  it('requests that only the fallback handler of a server answers have a span', async () => {
    const [near, far] = sdk.InMemoryTransport.createLinkedPair();
    const server = toolServer();
    const fallback = (): Promise<object> => Promise.resolve({ contents: [] });
    server.server.fallbackRequestHandler = fallback;
    const client = new sdk.Client({ name: 'planner', version: '1.0.0' });
    await Promise.all([server.connect(far), client.connect(near)]);
    telemetry.reset();
    for (const uri of ['tide://1', 'tide://2']) {
      assert.deepEqual(await client.readResource({ uri }), { contents: [] });
    }
    await client.close();
    const served = telemetry.spans().filter(({ kind }) => kind === SpanKind.SERVER);
    assert.deepEqual(
      served.map(({ name, attributes }) => [name, attributes['mcp.resource.uri']]),
      [
        ['resources/read', 'tide://1'],
        ['resources/read', 'tide://2'],
      ],
    );
    assert.equal(server.server.fallbackRequestHandler, fallback);
  });

  it('changes nothing while metering is off', async () => {
    instrumentation.applySettings({ enabled: false });
    const client = await overHttp();
    await client.listTools();
    await client.close();
    instrumentation.applySettings({ enabled: true });
    assert.deepEqual(telemetry.spans(), []);
    assert.ok(!JSON.stringify(received).includes('traceparent'));
  });
});
