import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { REPLIES } from './replies.ts';

/** Local server in a separate process or thread, so that its work is not measured. */
export async function startServer(): Promise<{ server: Server; url: string }> {
  const stream = (REPLIES.stream.pieces ?? []).join('');
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const streamed = request.url?.startsWith('/stream') === true;
      response.writeHead(200, {
        'content-type': streamed ? 'text/event-stream' : 'application/json',
      });
      response.end(streamed ? stream : REPLIES.plain.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

// As a thread: posts its URL to the parent.
if (parentPort !== null) parentPort.postMessage((await startServer()).url);
