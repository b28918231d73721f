import type { Server } from 'node:http';
import type { Middleware } from 'koa';
import { type AuthenticationOptions, authentication } from './authentication.ts';
import { problems } from './problem.ts';
import { loopbackNamesOnly, sameOrigin } from './same-origin.ts';
import { securityHeaders } from './security-headers.ts';

/** What stands before every route, in the order to mount it. */
export function protection(options: AuthenticationOptions): readonly Middleware[] {
  return [
    securityHeaders(),
    problems(),
    ...(options.access.generatedToken === undefined ? [] : [loopbackNamesOnly()]),
    authentication(options),
    sameOrigin(),
  ];
}

/** Clients that send slowly or never end must not hold connections. */
export function limitServer(server: Server): void {
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 5_000;
  server.maxHeadersCount = 100;
}
