import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BudgetAnswer, type ShownAmounts, budgetAnswer } from './budget-answer.ts';
import { endStarted } from './budget-events.ts';
import { budgetRefusal } from './budget-refusal.ts';
import { type BudgetMiddlewareOptions, checkRequest } from './middleware-options.ts';

/**
 * Express middleware: a request whose user or team has no budget left is answered with 429 before it
 * costs anything. Others get RateLimit headers.
 */
export function expressBudgets<Request extends IncomingMessage>(
  options: BudgetMiddlewareOptions<Request> = {},
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => Promise<void> {
  return async function budgets(request, response, next) {
    try {
      const { answer, headers } = await checkRequest(request, options);
      if (answer !== undefined) return send(response, answer);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    } catch (error) {
      // Of the option \`context\`; Express 4 does not look at promises.
      return next(error);
    }
    next();
  };
}

/**
 * Express error handler: what a budget refused inside a request is answered with 429, and ends a stream of
 * server-sent events that has begun by an event `error`. Other errors go on. Use it after the routes.
 */
export function expressBudgetErrors({ amounts }: { readonly amounts?: ShownAmounts } = {}): (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void {
  return function budgetErrors(error, _request, response, next) {
    const refusal = budgetRefusal(error);
    if (refusal === undefined) next(error);
    else if (response.headersSent) endStarted(response, error, amounts);
    else send(response, budgetAnswer([refusal], amounts));
  };
}

function send(response: ServerResponse, { status, headers, body }: BudgetAnswer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(JSON.stringify(body));
}
