import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SeenSpan } from './telemetry.ts';

interface LlmObsEvent {
  readonly spans?: readonly { readonly metrics?: { readonly input_tokens?: number } }[];
}

/** Minimal Datadog agent: accepts all requests and keeps LLM spans. */
export async function startFakeAgent(spans: SeenSpan[]): Promise<string> {
  const server = createServer((request, response) => {
    const received: Buffer[] = [];
    request.on('data', (piece: Buffer) => received.push(piece));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/info') {
        response.end(JSON.stringify({ endpoints: ['/v0.4/traces', '/evp_proxy/v2/'] }));
        return;
      }
      if (request.url?.startsWith('/evp_proxy/v2/') === true) {
        const body = JSON.parse(Buffer.concat(received).toString()) as LlmObsEvent | LlmObsEvent[];
        for (const event of [body].flat()) {
          for (const { metrics } of event.spans ?? []) {
            spans.push({ inputTokens: (metrics?.input_tokens ?? 0) > 0 });
          }
        }
      }
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
