import type { Context, Middleware, Next } from 'koa';
import { isLoopback } from './access.ts';
import { identityOf } from './authentication.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what a foreign page makes a browser send: any request to the API, and any unsafe one.
 * Pages of other ports of one host count as foreign. A browser does not add bearer tokens by itself.
 */
export function sameOrigin(): Middleware {
  return async function sameOriginOnly(ctx: Context, next: Next): Promise<void> {
    const unsafe = !SAFE.has(ctx.method);
    const guarded = unsafe || ctx.path.startsWith('/api/');
    if (guarded && identityOf(ctx)?.via !== 'bearer' && isForeign(ctx, unsafe)) {
      ctx.throw(403, 'Requests from other sites are refused.', { code: 'cross_site' });
    }
    await next();
  };
}

function isForeign(ctx: Context, unsafe: boolean): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site !== '') return site !== 'same-origin' && site !== 'none';
  const origin = ctx.get('origin');
  if (origin !== '') return !isOwnOrigin(ctx, origin);
  // Browsers that send neither header cannot be distinguished from an attack; programs use tokens.
  return unsafe && identityOf(ctx)?.via === 'session';
}

function isOwnOrigin(ctx: Context, origin: string): boolean {
  try {
    return new URL(origin).host === ctx.host;
  } catch {
    return false;
  }
}

/**
 * Answers only under a name of this machine. Mount it while no token is configured: a foreign name
 * that resolves to 127.0.0.1 would make foreign pages same-origin.
 */
export function loopbackNamesOnly(): Middleware {
  return async function loopbackNames(ctx: Context, next: Next): Promise<void> {
    const name = ctx.host.replace(/:\d+$/, '');
    if (!isLoopback(name)) {
      ctx.throw(421, 'This application answers on loopback only.', { code: 'misdirected' });
    }
    await next();
  };
}
