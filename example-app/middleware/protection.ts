import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Middleware } from 'koa';
import { type AuthenticationOptions, authentication } from './authentication.ts';
import { problemBody, problems } from './problem.ts';
import { loopbackNamesOnly, sameOrigin } from './same-origin.ts';
import { securityHeaders } from './security-headers.ts';

/** Middleware before every route, in this order. */
export function protection(options: AuthenticationOptions): readonly Middleware[] {
  return [
    securityHeaders(),
    problems(),
    ...(options.access.generatedToken === undefined ? [] : [loopbackNamesOnly()]),
    authentication(options),
    sameOrigin(),
  ];
}

/**
 * Clients that send slowly or never end must not hold connections. Requests that Node refuses to
 * parse are answered as problems too.
 */
export function limitServer(server: Server): void {
  server.on('clientError', refuseUnparsed);
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 5_000;
  server.maxHeadersCount = 100;
}

function refuseUnparsed({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  // Something was sent already, or nobody is there any more.
  if (code === 'ECONNRESET' || !socket.writable || (socket as Socket).bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const status = UNPARSED[code ?? ''] ?? 400;
  const body = JSON.stringify(problemBody(status));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

const UNPARSED: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
