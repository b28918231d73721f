import type { Server } from 'node:http';
import type { Middleware } from 'koa';
import type { Access } from './access.ts';
import { authentication } from './authentication.ts';
import { problems } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import { loopbackNamesOnly, sameOrigin } from './same-origin.ts';
import { securityHeaders } from './security-headers.ts';

export interface ProtectionOptions {
  readonly access: Access;
  /** Counts wrong tokens by address; shared with the session route. */
  readonly failures: RateLimit;
}

/** What stands before every route, in the order to mount it. */
export function protection({ access, failures }: ProtectionOptions): readonly Middleware[] {
  return [
    securityHeaders(),
    problems(),
    ...(access.generatedToken === undefined ? [] : [loopbackNamesOnly()]),
    authentication(access, failures),
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
