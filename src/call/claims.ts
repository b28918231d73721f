import { createContextKey, type Context } from '@opentelemetry/api';
import type { Reservation } from '../domain/call-budgets.ts';
import type { RequestingCall } from '../host/unmetered-calls.ts';
import { canonicalModelName } from '../tokens/models.ts';

/**
 * One model call may pass several layers that could all meter it (LangChain, AI SDK, the provider's
 * SDK, `meterChat`). Each opens a scope in the Context of what it calls, and claims its call in every
 * scope around it. A wrapper counts only where no call inside was its own.
 */
const SCOPE = createContextKey('otel-token-meter call scope');

/** A call as one layer knows it. What only the reply says is filled in at its end. */
export interface CallSight {
  readonly operation: string;
  requestModel?: string | undefined;
  responseModel?: string | undefined;
  responseId?: string | undefined;
  /** Reported by the application itself, by `meterChat` or `recordUsage`. */
  readonly byHand?: boolean;
}

/** Claims kept by a wrapper: one that runs for days may have any number of calls inside. */
const CLAIMS_MAX = 1000;

/** Operations of one model call that layers name differently. */
const GENERATION = new Set(['chat', 'text_completion', 'generate_content']);

/** Date or revision that a vendor appends to a model's name: `-2024-08-06`, `@20240620`, `:latest`. */
const REVISION = /^(?:[-@:](?:\d{4}-\d\d-\d\d|\d{3,}|latest|v\d+(?::\d+)?))+$/;

/**
 * The one rule of what a layer and a call inside it have in common: the kind of operation, and the id
 * of the reply or the model. A model that one of them does not know contradicts nothing, and what an
 * application reports inside its own wrapper is the wrapper's call.
 */
function isSameCall(one: CallSight, other: CallSight): boolean {
  if (!isSameKind(one, other)) return false;
  if (hasSameId(one, other) || (one.byHand === true && other.byHand === true)) return true;
  return modelsAgree(one, other);
}

/**
 * The same for two layers that share no Context: only the id of the reply is evidence enough or, where
 * one of them has none and `byModel` allows it, a model that both name.
 */
export function isSameReply(one: CallSight, other: CallSight, byModel: boolean): boolean {
  if (!isSameKind(one, other)) return false;
  // Some servers leave the id empty.
  if (one.responseId && other.responseId) return one.responseId === other.responseId;
  const bothNamed = namesOf(one).length > 0 && namesOf(other).length > 0;
  return byModel && bothNamed && modelsAgree(one, other);
}

function isSameKind(one: CallSight, other: CallSight): boolean {
  return kindOf(one.operation) === kindOf(other.operation);
}

function kindOf(operation: string): string {
  return GENERATION.has(operation) ? 'generation' : operation;
}

function hasSameId(one: CallSight, other: CallSight): boolean {
  return Boolean(one.responseId) && one.responseId === other.responseId;
}

/** False where both name a model, and not the same one. */
function modelsAgree(one: CallSight, other: CallSight): boolean {
  const names = namesOf(one);
  const others = namesOf(other);
  if (names.length === 0 || others.length === 0) return true;
  return names.some((name) => others.some((known) => isSameModel(name, known)));
}

function namesOf({ requestModel, responseModel }: CallSight): readonly string[] {
  return [requestModel, responseModel]
    .filter((name) => name !== undefined && name !== '')
    .map((name) => canonicalModelName(String(name)));
}

function isSameModel(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long.startsWith(short) && (long === short || REVISION.test(long.slice(short.length)));
}

/** What a running call is to the calls made inside it. */
export class CallScope implements RequestingCall {
  readonly sight: CallSight;
  /** Of a wrapper: what it has set aside, until a call inside sets aside its own. */
  reservation: Reservation | undefined = undefined;
  /** Others try one call until it succeeds. */
  readonly isOfManyCalls: boolean;
  readonly #around: CallScope | undefined;
  /** Of a wrapper: the calls begun inside. */
  #claims: CallSight[] | undefined;
  #isOpen = true;
  #hasRequested = false;

  /** `wrapper`: its name, if it is one. */
  constructor(around: CallScope | undefined, sight: CallSight, wrapper: string | undefined) {
    this.sight = sight;
    this.isOfManyCalls = wrapper === 'meter-chat';
    this.#around = around;
    if (wrapper !== undefined) this.#claims = [];
    CallScope.claim(around, sight);
  }

  /** Whether this call is counted by one that runs around it: an SDK's method may end in another. */
  static counts(around: CallScope | undefined, sight: CallSight): boolean {
    for (let scope = around; scope !== undefined; scope = scope.#around) {
      if (scope.#isOpen && scope.#claims === undefined && isSameCall(scope.sight, sight))
        return true;
    }
    return false;
  }

  /** The wrapper that has set aside something for this very call. */
  static reserving(around: CallScope | undefined, sight: CallSight): CallScope | undefined {
    for (let scope = around; scope !== undefined; scope = scope.#around) {
      if (scope.reservation !== undefined && isSameCall(scope.sight, sight)) return scope;
    }
    return undefined;
  }

  static claim(around: CallScope | undefined, sight: CallSight): void {
    for (let scope = around; scope !== undefined; scope = scope.#around) {
      if (scope.#claims !== undefined && scope.#claims.length < CLAIMS_MAX) {
        scope.#claims.push(sight);
      }
    }
  }

  /** Whether a model was asked by code inside that is in no call of its own. */
  get hasRequested(): boolean {
    return this.#hasRequested;
  }

  get awaitsRequest(): boolean {
    return this.#claims !== undefined && !this.#hasRequested;
  }

  requestSent(): void {
    this.#hasRequested = true;
  }

  /** Nothing inside belongs to this call any more. True when a call inside was this very one. */
  close(): boolean {
    const isClaimed = this.#claims?.some((sight) => isSameCall(this.sight, sight)) === true;
    this.#isOpen = false;
    this.#claims = undefined;
    return isClaimed;
  }
}

/** The scope of another copy of this package is none of ours. */
export function scopeOf(context: Context): CallScope | undefined {
  const scope = context.getValue(SCOPE);
  return scope instanceof CallScope ? scope : undefined;
}

/** The innermost call that the code running there belongs to, of whichever copy. */
export function callAround(context: Context): RequestingCall | undefined {
  return context.getValue(SCOPE) as RequestingCall | undefined;
}

export function setScope(onto: Context, scope: CallScope): Context {
  return onto.setValue(SCOPE, scope);
}
