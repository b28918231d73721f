import { BudgetExceededError, refusalMessage } from '../budgets/budget-exceeded-error.ts';
import type { BudgetRefusal } from '../domain/call-budgets.ts';
import { quietly } from '../host/quietly.ts';

/** What HTTP would have said of a refused call. */
interface RefusedResponse {
  readonly status: 429;
  readonly message: string;
  /** In the form that OpenAI and Anthropic have in common. */
  readonly body: {
    readonly type: 'error';
    readonly error: Readonly<Record<'type' | 'code' | 'message', string>>;
  };
  readonly headers: Headers;
}

/** The SDK's own error for status 429. */
export type MakeRefusal = (response: RefusedResponse, refusal: BudgetRefusal) => unknown;

/**
 * The error of a refused call: the SDK's own for status 429, where there is one at hand, with the members of
 * `BudgetExceededError`.
 */
export function refusedCall(refusal: BudgetRefusal, make?: MakeRefusal): Error {
  const own = make && quietly('making an error', () => make(responseOf(refusal), refusal));
  if (!(own instanceof Error)) return new BudgetExceededError(refusal);
  const { code, status, isRetryable } = new BudgetExceededError(refusal);
  for (const [name, value] of Object.entries({ ...refusal, code, status, isRetryable })) {
    Object.defineProperty(own, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return own;
}

/** A stream of an SDK whose call was refused: the error comes with the first read. */
export async function* refusedStream(error: Error): AsyncGenerator<unknown, undefined> {
  yield await Promise.reject(error);
}

function responseOf(refusal: BudgetRefusal): RefusedResponse {
  const message = refusalMessage(refusal);
  const seconds = Math.max(1, Math.ceil((Date.parse(refusal.resetsAt) - Date.now()) / 1000));
  return {
    status: 429,
    message,
    body: {
      type: 'error',
      error: { type: 'rate_limit_error', code: 'budget_exceeded', message },
    },
    headers: new Headers({
      'content-type': 'application/json',
      'retry-after': String(seconds),
      'x-should-retry': 'false',
    }),
  };
}
