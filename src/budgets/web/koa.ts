import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type BudgetAnswer, budgetAnswer } from './budget-answer.ts';
import { budgetErrorEvents, endStarted, isEventStream } from './budget-events.ts';
import { budgetRefusal } from './budget-refusal.ts';
import { type BudgetMiddlewareOptions, checkRequest } from './middleware-options.ts';

/** The part of a Koa context that is used. */
export interface KoaContextLike {
  status: number;
  body: unknown;
  readonly res: ServerResponse;
  readonly headerSent: boolean;
  readonly response: { get(field: string): string };
  set(field: string, value: string): void;
}

/**
 * Koa middleware: a request whose user or team has no budget left is answered with 429 before it costs
 * anything, and so is one whose call a budget refuses. Others get RateLimit headers. A stream of
 * server-sent events that has begun ends with an event `error`.
 */
export function koaBudgets<Ctx extends KoaContextLike>(
  options: BudgetMiddlewareOptions<Ctx> = {},
): (ctx: Ctx, next: () => Promise<unknown>) => Promise<void> {
  const { amounts } = options;
  return async function budgets(ctx, next) {
    const { answer, headers } = await checkRequest(ctx, options);
    if (answer !== undefined) return send(ctx, answer);
    for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
    try {
      await next();
    } catch (error) {
      if (ctx.headerSent) {
        if (endStarted(ctx.res, error, amounts)) return;
        throw error;
      }
      const refusal = budgetRefusal(error);
      if (refusal === undefined) throw error;
      return send(ctx, budgetAnswer([refusal], amounts));
    }
    if (ctx.body instanceof Readable && isEventStream(ctx.response.get('content-type'))) {
      ctx.body = budgetErrorEvents(ctx.body, amounts);
    }
  };
}

function send(ctx: KoaContextLike, { status, headers, body }: BudgetAnswer): void {
  ctx.status = status;
  ctx.body = JSON.stringify(body);
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
}
