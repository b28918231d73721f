import type { SetAside } from './budgets/set-aside.ts';
import { currentBudgets } from './budgets/budgets-in-force.ts';
import type {
  BudgetedCall,
  BudgetRefusal,
  CallBudgets,
  Reservation,
  StartingCall,
} from './domain/call-budgets.ts';
import { idFrom } from './domain/id-from.ts';
import type { UsageContext } from './domain/usage-context.ts';
import type { UsageRecord } from './domain/usage-record.ts';
import { failedQuietly } from './host/quietly.ts';
import { hashedUserId } from './usage/build-record.ts';
import { addDimensions } from './usage/record-dimensions.ts';

type Recorded = Promise<UsageRecord | undefined>;

export interface IdentityOptions {
  readonly userIdHashKey?: string | undefined;
  readonly dimensions: readonly string[];
}

/** A call in the terms of its record to come: the user's hash, the configured dimensions. */
export function budgetedCall(
  usageContext: UsageContext,
  { provider, model }: Pick<BudgetedCall, 'provider' | 'model'>,
  { userIdHashKey, dimensions: names }: IdentityOptions,
): BudgetedCall {
  const known: Parameters<typeof addDimensions>[0] = {};
  addDimensions(known, usageContext, names);
  const userId = idFrom(usageContext.userId);
  return {
    ...known,
    userId: userId === undefined ? undefined : hashedUserId(userId, userIdHashKey),
    plainUserId: userIdHashKey === undefined ? undefined : userId,
    conversationId: idFrom(usageContext.conversationId),
    provider,
    model: idFrom(model) ?? 'unknown',
  };
}

/** Where calls meet the budgets of the process. A failure of these lets the call through. */
export class BudgetedCalls implements CallBudgets<Recorded> {
  readonly #identity: IdentityOptions;
  readonly #tokenStatistics: boolean;

  constructor(identity: IdentityOptions, tokenStatistics: boolean) {
    this.#identity = identity;
    this.#tokenStatistics = tokenStatistics;
  }

  reserve(call: StartingCall): Reservation<Recorded> | BudgetRefusal {
    const instead = call.instead instanceof CallReservation ? call.instead : undefined;
    instead?.release();
    try {
      const answer = currentBudgets()?.reserve(
        budgetedCall(call.usageContext, call, this.#identity),
        call.size,
        this.#tokenStatistics,
        instead?.held ?? [],
      );
      if (answer !== undefined && 'budgetId' in answer) return answer;
      return new CallReservation(answer);
    } catch (error) {
      failedQuietly('reserving from a budget', error);
      return new CallReservation(undefined);
    }
  }

  charge(recorded: Recorded): void {
    void charge(recorded, undefined);
  }
}

class CallReservation implements Reservation<Recorded> {
  readonly #setAside: SetAside | undefined;

  constructor(setAside: SetAside | undefined) {
    this.#setAside = setAside;
  }

  get held(): SetAside['held'] {
    return this.#setAside?.held ?? [];
  }

  settle(recorded: Recorded): void {
    void charge(recorded, this.#setAside);
  }

  release(): void {
    this.#setAside?.release();
  }
}

async function charge(recorded: Recorded, setAside: SetAside | undefined): Promise<void> {
  try {
    const record = await recorded;
    const budgets = currentBudgets();
    if (record === undefined || budgets === undefined) setAside?.release();
    else budgets.charge(record, setAside);
  } catch (error) {
    setAside?.release();
    failedQuietly('charging a budget', error);
  }
}
