import { activeContext, usageContextOf } from '../../context.ts';
import type { BudgetStatus } from '../budget-status.ts';
import { type BudgetContext, budgetStatus } from '../budgets-in-force.ts';
import {
  type BudgetAnswer,
  type ExhaustedBudget,
  type ShownAmounts,
  budgetAnswer,
  rateLimitHeaders,
} from './budget-answer.ts';

const RESERVED_MS = 1000;

export interface BudgetMiddlewareOptions<Request> {
  /**
   * Whose budgets a request spends. @default user, team, conversation and dimensions that
   * `withUsageContext` has set around it
   */
  readonly context?: (request: Request) => BudgetContext | undefined;
  /** Whose amounts an answer shows. @default 'own' */
  readonly amounts?: ShownAmounts;
  /** For tests. @internal */
  readonly status?: (context: BudgetContext) => Promise<readonly BudgetStatus[]>;
}

/** What to do with a request: answer it, or let it through with these headers. */
export interface BudgetCheck {
  readonly answer?: BudgetAnswer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Never rejects. */
export async function checkRequest<Request>(
  request: Request,
  { context, amounts, status = budgetStatus }: BudgetMiddlewareOptions<Request>,
): Promise<BudgetCheck> {
  const budgets = await status(context?.(request) ?? usageContextOf(activeContext()));
  const blocking = budgets.filter(({ mode }) => mode === 'block');
  const exhausted = blocking.filter(({ blocked }) => blocked).map(exhaustedBudget);
  if (exhausted.length > 0) {
    const answer = budgetAnswer(exhausted, amounts);
    return { answer, headers: answer.headers };
  }
  return { headers: rateLimitHeaders(blocking, amounts) };
}

/** A budget that is not spent has room again when running calls end. */
function exhaustedBudget(status: BudgetStatus): ExhaustedBudget {
  if (status.spent >= status.limit) return status;
  const soon = new Date(Date.now() + RESERVED_MS).toISOString();
  return { ...status, isReserved: true, resetsAt: soon };
}
