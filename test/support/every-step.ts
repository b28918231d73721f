import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import {
  withAgent,
  withTool,
  withUsageContext,
  withWorkflow,
  type TokenMeterInstrumentation,
} from '../../src/index.ts';
import { see } from '../conformance/providers/seen.ts';
import { loadTogether } from './sdk-versions.ts';

interface McpClient {
  connect(transport: unknown): Promise<void>;
  callTool(call: object): Promise<unknown>;
  getPrompt(prompt: object): Promise<unknown>;
  readResource(resource: object): Promise<unknown>;
  close(): Promise<void>;
}
interface McpServer {
  registerTool(name: string, options: object, run: (input: never) => unknown): void;
  registerPrompt(name: string, options: object, run: () => unknown): void;
  registerResource(name: string, uri: string, options: object, run: () => unknown): void;
  connect(transport: unknown): Promise<void>;
  close(): Promise<void>;
}
interface Mcp {
  readonly Client: new (info: object) => McpClient;
  readonly McpServer: new (info: object) => McpServer;
  readonly StreamableHTTPClientTransport: new (url: URL) => unknown;
  readonly StreamableHTTPServerTransport: new (options: object) => {
    handleRequest(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void>;
  };
}

const failing = (): never => {
  throw new RangeError('by zero');
};

/** Steps with all that can be said of them. */
export async function stepsByHand(): Promise<void> {
  const planner = { name: 'planner', description: 'Plans', version: '2' };
  const search = { name: 'search', description: 'Searches', callId: 'call_1' };
  await withUsageContext({ conversationId: 'thread-1' }, () =>
    withWorkflow({ name: 'tides' }, () =>
      withAgent(planner, () => withTool(search, () => Promise.resolve('Twice a day.'))),
    ),
  );
  await see(() => Promise.resolve().then(() => withAgent({ name: 'planner' }, failing)));
  await see(() => Promise.resolve().then(() => withTool({ name: 'search' }, failing)));
}

/** Requests of each kind between a client and a server of MCP, over HTTP. */
export async function mcpRequests(instrumentation: TokenMeterInstrumentation): Promise<void> {
  const files = [
    'client/index.js',
    'server/mcp.js',
    'client/streamableHttp.js',
    'server/streamableHttp.js',
  ];
  const names = files.map((name) => `@modelcontextprotocol/sdk/${name}`);
  const [client, server, ...rest] = loadTogether(names, 'mcp');
  instrumentation.instrument('@modelcontextprotocol/sdk/client/index.js', client);
  instrumentation.instrument('@modelcontextprotocol/sdk/server/mcp.js', server);
  const sdk = Object.assign({}, client, server, ...rest) as Mcp;
  const served = new sdk.McpServer({ name: 'tides', version: '1.0.0' });
  served.registerTool('search', { inputSchema: { query: z.string() } }, () => ({
    content: [{ type: 'text', text: 'Twice a day.' }],
  }));
  served.registerTool('fail', {}, failing);
  served.registerPrompt('ask', {}, () => ({ messages: [] }));
  served.registerResource('table', 'tides://table', {}, () => ({
    contents: [{ uri: 'tides://table', text: '3:00' }],
  }));
  const transport = new sdk.StreamableHTTPServerTransport({
    sessionIdGenerator: () => 'session-1',
  });
  await served.connect(transport);
  const http = createServer((request, response) => {
    void (async () => {
      const body = request.method === 'POST' ? await json(request) : undefined;
      await transport.handleRequest(request, response, body);
    })();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const asking = new sdk.Client({ name: 'planner', version: '1.0.0' });
  try {
    await asking.connect(
      new sdk.StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)),
    );
    await asking.callTool({ name: 'search', arguments: { query: 'tide' } });
    await asking.callTool({ name: 'fail' });
    await asking.getPrompt({ name: 'ask' });
    await asking.readResource({ uri: 'tides://table' });
    await see(() => asking.getPrompt({ name: 'none' }));
    await asking.close();
    await served.close();
  } finally {
    http.closeAllConnections();
    http.close();
  }
}
