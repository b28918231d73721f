import type { Context, Middleware, Next } from 'koa';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Headers of every answer, errors included: mount it first. */
export function securityHeaders(): Middleware {
  return async function withSecurityHeaders(ctx: Context, next: Next): Promise<void> {
    ctx.set(HEADERS);
    if (ctx.secure) ctx.set('strict-transport-security', 'max-age=31536000');
    if (ctx.path.startsWith('/api/')) {
      ctx.set('cache-control', 'no-store');
      ctx.vary('Authorization, Cookie, Origin, Sec-Fetch-Site');
    }
    await next();
  };
}
