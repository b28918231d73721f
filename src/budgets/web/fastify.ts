import type { ServerResponse } from 'node:http';
import { type BudgetAnswer, type ShownAmounts, budgetAnswer } from './budget-answer.ts';
import { endStarted } from './budget-events.ts';
import { budgetRefusal } from './budget-refusal.ts';
import { type BudgetMiddlewareOptions, checkRequest } from './middleware-options.ts';

/** The part of a Fastify reply that is used. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

/**
 * Fastify hook (`onRequest`, or `preHandler` where the body says who asks): a request whose user or team
 * has no budget left is answered with 429 before it costs anything. Others get RateLimit headers.
 */
export function fastifyBudgets<Request>(
  options: BudgetMiddlewareOptions<Request> = {},
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  return async function budgets(request, reply) {
    const { answer, headers } = await checkRequest(request, options);
    if (answer !== undefined) return send(reply, answer);
    reply.headers({ ...headers });
    return undefined;
  };
}

/**
 * Fastify error handler: what a budget refused inside a request is answered with 429, and ends a stream of
 * server-sent events that has begun by an event `error`. Other errors go on to the handler around it.
 */
export function fastifyBudgetErrors({ amounts }: { readonly amounts?: ShownAmounts } = {}): (
  error: unknown,
  request: unknown,
  reply: FastifyReplyLike,
) => unknown {
  return function budgetErrors(error, _request, reply) {
    const refusal = budgetRefusal(error);
    if (refusal === undefined) throw error;
    if (!reply.raw.headersSent) return send(reply, budgetAnswer([refusal], amounts));
    endStarted(reply.raw, error, amounts);
    return undefined;
  };
}

function send(reply: FastifyReplyLike, { status, headers, body }: BudgetAnswer): unknown {
  reply.code(status);
  reply.headers({ ...headers });
  return reply.send(JSON.stringify(body));
}
