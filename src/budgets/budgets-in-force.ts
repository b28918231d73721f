import type { BudgetedCall } from '../domain/call-budgets.ts';
import { callQuietly } from '../host/quietly.ts';
import type { Budget } from './budget.ts';
import type { BudgetEngine } from './budget-engine.ts';
import type { AccountsWanted } from './budget-statuses.ts';
import { budgetEngine } from './budget-engine-on-demand.ts';
import type { BudgetShare, BudgetStatus } from './budget-status.ts';
import type { PriceOfTokens } from './call-price.ts';
import type { BudgetStore } from './stores/budget-store.ts';

/** Budgets belong to the process, whichever instrumentation they were given to, in whichever copy of the package. */
interface InForce {
  engine: BudgetEngine | undefined;
  store: BudgetStore | undefined;
  /** Somebody has applied budgets at run time. */
  isDecided: boolean;
  identify: Identify;
  readonly listeners: Set<(share: BudgetShare) => void>;
}

const IN_FORCE = Symbol.for('otel-token-meter.budgets.1');

const inForce = ((globalThis as { [IN_FORCE]?: InForce })[IN_FORCE] ??= {
  engine: undefined,
  store: undefined,
  isDecided: false,
  identify: (call) => call,
  listeners: new Set(),
});

/** A user, team … as an application names them, as records do. */
type Identify = (call: BudgetContext & { readonly provider: string }) => BudgetedCall;

/** Calls whose budgets are asked for. */
export interface BudgetContext {
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly team?: string | undefined;
  readonly dimensions?: Readonly<Record<string, string | undefined>> | undefined;
  readonly provider?: string | undefined;
  /** As in the request. */
  readonly model?: string | undefined;
}

/** What budgets need of the instrumentation. */
export interface BudgetEnvironment {
  /** False for those that are only configured: they do not replace others that somebody applied. */
  readonly isDecision: boolean;
  readonly store: BudgetStore | undefined;
  readonly priceOf: PriceOfTokens;
  readonly identify: Identify;
}

/** Replaces the budgets of the process. Throws `INVALID_OPTION`, and then changes nothing. */
export function applyBudgets(budgets: readonly Budget[], environment: BudgetEnvironment): void {
  if (!environment.isDecision && inForce.isDecided) return;
  inForce.isDecided ||= environment.isDecision;
  const { engine } = inForce;
  if (engine === undefined && budgets.length === 0) return;
  const { store = inForce.store, priceOf } = environment;
  if (engine === undefined || store !== inForce.store) {
    const { BudgetEngine: Engine } = budgetEngine();
    const next = new Engine({ store, priceOf, onShare: tell });
    next.apply(budgets);
    void engine?.stop();
    inForce.engine = next;
    inForce.store = store;
  } else engine.apply(budgets);
  inForce.identify = environment.identify;
}

/** Undefined while there are no budgets. */
export function currentBudgets(): BudgetEngine | undefined {
  const { engine } = inForce;
  return engine === undefined || engine.isEmpty ? undefined : engine;
}

/** Gives back what is held of budgets that are shared, at the end of the process. */
export async function stopBudgets(): Promise<void> {
  const stopped = inForce.engine;
  inForce.engine = undefined;
  inForce.store = undefined;
  inForce.isDecided = false;
  await stopped?.stop();
}

/**
 * Every budget that a call with this user, team, model … would be charged to, so that an application can say so before
 * it asks. In a fleet it asks the store, for half a second at most; then, and where the store does not answer, it is what
 * this process knows. Never rejects.
 */
export async function budgetStatus(context: BudgetContext = {}): Promise<readonly BudgetStatus[]> {
  const call = inForce.identify({ ...context, provider: context.provider ?? 'unknown' });
  return (await currentBudgets()?.status(call)) ?? [];
}

/**
 * Accounts of one budget, or of all, with the most spent of each: 100 if `limit` does not say how many, and of those
 * `isWanted` holds for. Never rejects.
 */
export async function budgetAccounts({
  limit = 100,
  ...wanted
}: Partial<AccountsWanted> = {}): Promise<readonly BudgetStatus[]> {
  return (await currentBudgets()?.accounts({ ...wanted, limit })) ?? [];
}

/**
 * Calls `listener` when an account reaches one of the shares in `at`: once in each window, and in a fleet in one of its
 * instances. Returns a function that ends that.
 */
export function onBudgetShare(listener: (share: BudgetShare) => void): () => void {
  inForce.listeners.add(listener);
  return () => inForce.listeners.delete(listener);
}

function tell(share: BudgetShare): void {
  for (const listener of inForce.listeners)
    callQuietly('reporting a budget', () => listener(share));
}
