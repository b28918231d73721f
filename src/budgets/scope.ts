import type { BudgetKey, BudgetScope, Wanted } from './budget.ts';
import type { BudgetedCall } from '../domain/call-budgets.ts';

/** Values of the call by the names in `each`; undefined for a call that the budget is not for. */
export type AccountOf = (call: BudgetedCall) => readonly (string | null)[] | undefined;

const NO_VALUES: readonly null[] = [];

type ValueOf = (call: BudgetedCall) => string | undefined;
type Test = (call: BudgetedCall) => boolean;

/** The scope as functions, since every call asks every budget. */
export function compileScope({ each = [], ...wanted }: BudgetScope): AccountOf {
  const tests: Test[] = [];
  for (const name of ['team', 'conversation', 'provider'] as const) {
    if (wanted[name] !== undefined) tests.push(oneOf(valueOf(name), wanted[name]));
  }
  if (wanted.user !== undefined) tests.push(userTest(wanted.user));
  if (wanted.model !== undefined) tests.push(modelTest(wanted.model));
  for (const [name, values] of Object.entries(wanted.dimensions ?? {})) {
    tests.push(oneOf(valueOf(`dimension.${name}`), values));
  }
  const values = each.map(valueOf);
  return (call) => {
    for (const fits of tests) if (!fits(call)) return undefined;
    if (values.length === 0) return NO_VALUES;
    return values.map((value) => value(call) ?? null);
  };
}

function valueOf(key: BudgetKey): ValueOf {
  switch (key) {
    case 'user':
      return ({ userId }) => userId;
    case 'team':
      return ({ team }) => team;
    case 'conversation':
      return ({ conversationId }) => conversationId;
    case 'model':
      return ({ model }) => model;
    case 'provider':
      return ({ provider }) => provider;
    default: {
      const name = key.slice('dimension.'.length);
      return ({ dimensions }) => dimensions?.[name];
    }
  }
}

function oneOf(value: ValueOf, wanted: Wanted): Test {
  const set = setOf(wanted);
  return (call) => set.has(value(call) ?? null);
}

/** A budget may name a user as the application knows him or, where ids are hashed, as records do. */
function userTest(wanted: Wanted): Test {
  const set = setOf(wanted);
  return ({ userId, plainUserId }) =>
    set.has(userId ?? null) || (plainUserId !== undefined && set.has(plainUserId));
}

function setOf(wanted: Wanted): ReadonlySet<string | null> {
  return new Set(typeof wanted === 'string' || wanted === null ? [wanted] : wanted);
}

function modelTest(wanted: string | readonly string[]): Test {
  const names = typeof wanted === 'string' ? [wanted] : wanted;
  const patterns = names.map((name) => name.split('*'));
  // A process asks for few models, and each of them every time.
  const known = new Map<string, boolean>();
  return ({ model = '' }) => {
    let fits = known.get(model);
    if (fits === undefined) {
      fits = patterns.some((parts) => fitsParts(model, parts));
      if (known.size < 1000) known.set(model, fits);
    }
    return fits;
  };
}

/**
 * The parts in their order, with anything between them. Takes the first place of each: no backtracking, since the
 * model may be what a user asks for.
 */
function fitsParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
