import { STATUS_CODES } from 'node:http';
import type { Context, Middleware, Next } from 'koa';

/** What `ctx.throw(status, detail, properties)` may carry besides koa's own. */
interface ProblemProperties {
  /** Stable name of the problem for programs. */
  readonly code?: string;
  /** One entry for each wrong member of the request. */
  readonly errors?: readonly unknown[];
  /** Further members of the answer. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface ThrownProblem extends ProblemProperties {
  readonly status?: number;
  readonly expose?: boolean;
  readonly message?: string;
}

/**
 * Every error as `application/problem+json` (RFC 9457). Only errors that
 * are thrown with `expose` are described: of any other the client sees that it failed, and details go to
 * the application's `error` event.
 */
export function problems(): Middleware {
  return async function problemsAsJson(ctx: Context, next: Next): Promise<void> {
    try {
      await next();
      if (ctx.status < 400 || ctx.body != null || ctx.respond === false) return;
      answer(ctx, ctx.status, {});
    } catch (error) {
      const thrown = (typeof error === 'object' && error !== null ? error : {}) as ThrownProblem;
      const { status } = thrown;
      const known = Number.isInteger(status) && status! >= 400 && status! < 600;
      if (!known || thrown.expose !== true) ctx.app.emit('error', error, ctx);
      if (ctx.headerSent) {
        ctx.res.destroy();
        return;
      }
      answer(ctx, known ? status! : 500, thrown);
    }
  };
}

function answer(ctx: Context, status: number, thrown: ThrownProblem): void {
  const { headers = {}, expose, code, errors, extensions } = thrown;
  const isExposed = expose === true;
  ctx.status = status;
  ctx.set({ 'cache-control': 'no-store', ...headers });
  ctx.body = JSON.stringify({
    ...problemBody(status, thrown),
    ...(isExposed && code !== undefined && { code }),
    ...(isExposed && errors && { errors }),
    ...(isExposed && extensions),
  });
  ctx.type = 'application/problem+json';
}

/** The members that every problem has. */
export function problemBody(status: number, thrown: ThrownProblem = {}): object {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: detailOf(status, thrown),
  };
}

const DETAILS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read.',
  404: 'There is nothing here.',
  408: 'The request did not arrive in time.',
  431: 'The address or the headers are too long.',
  405: 'This method is not allowed here; see the Allow header.',
  413: 'The body is too large.',
  500: 'Something failed inside. The log of the application says what.',
};

function detailOf(status: number, { expose, message }: ThrownProblem): string {
  if (status === 413) return DETAILS[413] as string;
  if (expose === true && message) return message;
  return DETAILS[status] ?? STATUS_CODES[status] ?? 'Error';
}
