import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AlertReceiverServer {
  readonly url: string;
  readonly received: Received[];
  /** Answers of the next requests; afterwards 200 `ok`. */
  readonly answers: { status: number; body?: string; headers?: Record<string, string> }[];
  close(): void;
}

/** An HTTP server that notes what it gets. */
export async function alertReceiver(
  path = '/services/T0/B0/secret-path',
): Promise<AlertReceiverServer> {
  const received: Received[] = [];
  const answers: AlertReceiverServer['answers'] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    received.push({ path: request.url ?? '', headers: request.headers, body });
    const {
      status,
      body: answer = '',
      headers = {},
    } = answers.shift() ?? { status: 200, body: 'ok' };
    response.writeHead(status, headers).end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    received,
    answers,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
