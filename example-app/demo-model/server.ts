import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { asChunks, asReply, complete, type CompletionRequest } from './completion.ts';
import { KnownConversations, type RecordedConversation } from './recorded-conversations.ts';

/** Accepted model names. All give the same answers. */
export const DEMO_MODELS: readonly string[] = [
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-5',
  'gpt-5-mini',
  'o3',
  'o4-mini',
  'gpt-4',
  'gpt-3.5-turbo',
];

/** Request header that suppresses usage, to simulate compatible servers that do not report it. */
export const OMIT_USAGE_HEADER = 'x-demo-omit-usage';

const MAX_BODY_BYTES = 20e6;

export interface DemoModelOptions {
  /** Replayed when `metadata.conversation_id` is one of them. */
  readonly conversations?: readonly RecordedConversation[];
  /** Pause between two chunks of a stream. @default 0 */
  readonly chunkPauseMs?: number;
}

export interface DemoModel {
  /** Base URL for the `openai` SDK. */
  readonly url: string;
  close(): Promise<void>;
}

/** An OpenAI-compatible server on loopback that needs neither network, key nor model. */
export async function startDemoModel(options: DemoModelOptions = {}): Promise<DemoModel> {
  const known = new KnownConversations(options.conversations);
  const server = createServer((request, response) => {
    route(request, response, known, options.chunkPauseMs ?? 0).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  known: KnownConversations,
  pauseMs: number,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://demo').pathname;
  if (request.method === 'GET' && path === '/v1/models') {
    const data = DEMO_MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'demo' }));
    sendJson(response, 200, { object: 'list', data });
    return;
  }
  if (request.method !== 'POST' || path !== '/v1/chat/completions') {
    sendError(response, 404, 'not_found', `Unknown route ${request.method} ${path}.`);
    return;
  }
  const body = await bodyOf(request);
  if (!isCompletionRequest(body)) {
    sendError(response, 400, 'invalid_request', 'model and messages are required.');
    return;
  }
  if (!DEMO_MODELS.includes(body.model)) {
    const message = `The model '${body.model.slice(0, 100)}' does not exist; available models: ${DEMO_MODELS.join(', ')}.`;
    sendError(response, 404, 'model_not_found', message);
    return;
  }
  const omit = request.headers[OMIT_USAGE_HEADER] !== undefined;
  const completion = complete(body, known);
  if (body.stream !== true) {
    sendJson(response, 200, asReply(completion, !omit));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const withUsage = body.stream_options?.include_usage === true && !omit;
  for (const chunk of asChunks(completion, withUsage)) {
    if (response.destroyed) return;
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  response.end('data: [DONE]\n\n');
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += (piece as Buffer).length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    pieces.push(piece as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString()) as unknown;
  } catch {
    return undefined;
  }
}

function isCompletionRequest(body: unknown): body is CompletionRequest {
  const { model, messages } = (body ?? {}) as Partial<CompletionRequest>;
  return typeof model === 'string' && Array.isArray(messages) && messages.length > 0;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, {
    error: { message, type: 'invalid_request_error', code, param: null },
  });
}
