import type { BudgetedCall } from '../domain/call-budgets.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { warnOnce } from '../host/quietly.ts';
import type { BudgetUnit } from './budget.ts';

/** Whether the record is for the accounts that the call was. */
export function isSameCall(call: BudgetedCall, record: UsageRecord): boolean {
  return (
    call.userId === record.userId &&
    call.team === record.team &&
    call.conversationId === record.conversationId &&
    call.model === record.requestModel &&
    call.provider === record.provider &&
    isSameDimensions(call.dimensions, record.dimensions)
  );
}

function isSameDimensions(
  one: BudgetedCall['dimensions'],
  other: BudgetedCall['dimensions'],
): boolean {
  if (one === other) return true;
  const names = Object.keys(one ?? {});
  if (names.length !== Object.keys(other ?? {}).length) return false;
  return names.every((name) => one?.[name] === other?.[name]);
}

/** What its call has used, in whole units. What is not known is not spent. */
export function usedBy(record: UsageRecord, unit: BudgetUnit): number {
  if (unit === 'calls') return 1;
  const { inputTokens, outputTokens, totalTokens, costUsd } = record;
  if (unit === 'tokens') return totalTokens ?? (inputTokens ?? 0) + (outputTokens ?? 0);
  if (costUsd !== undefined) return Math.round(costUsd * 1e9);
  if (inputTokens !== undefined || outputTokens !== undefined) {
    warnOnce(
      `budget price ${record.requestModel}`,
      `model ${record.requestModel} has no price: its calls count nothing in budgets of dollars`,
    );
  }
  return 0;
}
