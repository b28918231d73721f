import type { UsageContext } from './usage-context.ts';

/** A call as budgets see it, before it is sent. */
export interface BudgetedCall {
  /** As records have it: where ids are hashed, the hash. */
  readonly userId?: string | undefined;
  /** Where ids are hashed: the id itself, to find the budgets that name it. */
  readonly plainUserId?: string | undefined;
  readonly team?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly dimensions?: Readonly<Record<string, string | undefined>> | undefined;
  readonly provider: string;
  readonly model?: string | undefined;
}

/** What a call that is about to be sent can use. */
export interface CallSize {
  readonly operation: string;
  /** The request as the SDK got it. */
  readonly request: unknown;
  /** Most tokens of a reply, where the request leaves it to another place. */
  readonly outputLimit?: number | undefined;
  /** No output tokens (embeddings). */
  readonly inputOnly: boolean;
}

/** Why a call was refused. */
export interface BudgetRefusal {
  readonly budgetId: string;
  /** Whose account it is: `{}` for a budget without `each`; null where the call has no value. */
  readonly budgetKey: Readonly<Record<string, string | null>>;
  readonly unit: 'usd' | 'tokens' | 'calls';
  /** In `unit`. */
  readonly limit: number;
  /** By all instances in this window, as far as this process knows. In `unit`. */
  readonly spent: number;
  /** Set aside for calls of this process that are running. In `unit`. */
  readonly reserved: number;
  /** RFC 3339, UTC. Of a rolling window: when its oldest part is forgotten. With `isReserved`: in a second. */
  readonly resetsAt: string;
  /**
   * The limit is not spent: running calls have reserved the rest, other instances hold it, or the store of the fleet
   * has not said what is left. Absent: it is spent.
   */
  readonly isReserved?: boolean;
}

/** What was set aside for one call. It ends once; later calls of its methods do nothing. */
export interface Reservation<Record = unknown> {
  /** Charges what the record says in its place. */
  settle(recorded: Record): void;
  /** The call did not take place, or another layer has it. */
  release(): void;
}

/** A call that is about to be sent. */
export interface StartingCall {
  readonly provider: string;
  readonly model: string | undefined;
  readonly usageContext: UsageContext;
  readonly size: CallSize;
  /** What a layer around this call has set aside for it, and admitted it for. */
  readonly instead: Reservation | undefined;
}

/** Budgets on the way of a call. None of its methods throws or waits. */
export interface CallBudgets<Record = unknown> {
  /** Ends `instead`. */
  reserve(call: StartingCall): Reservation<Record> | BudgetRefusal;
  /** A call that nothing was set aside for. */
  charge(recorded: Record): void;
}

export function isRefusal(answer: Reservation | BudgetRefusal): answer is BudgetRefusal {
  return 'budgetId' in answer;
}
