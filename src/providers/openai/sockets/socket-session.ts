import type { BudgetRefusal } from '../../../domain/call-budgets.ts';
import type { JsonObject } from '../../../tokens/json.ts';

/** What is asked and answered over one socket. */
export interface SocketSession {
  /** An event that the client is about to send; a budget may refuse it. */
  sent(event: JsonObject): BudgetRefusal | undefined;
  received(event: JsonObject): void;
  /** Nothing more comes. */
  closed(): void;
}
