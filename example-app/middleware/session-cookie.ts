import type { Context } from 'koa';

export const SESSION_COOKIE = 'token_meter_session';

/** One that scripts cannot read and other sites cannot send. */
export function setSessionCookie(ctx: Context, value: string, expires: Date): void {
  ctx.cookies.set(SESSION_COOKIE, value, {
    expires,
    httpOnly: true,
    sameSite: 'strict',
    secure: ctx.secure,
    overwrite: true,
  });
}
