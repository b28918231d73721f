import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import type { UsageContext } from './domain/usage-context.ts';
import { warnOnce } from './host/quietly.ts';

const USAGE = createContextKey('otel-token-meter usage context');
export const NO_USAGE_CONTEXT: UsageContext = {};

/** Carries the Context where no OpenTelemetry context manager is registered. */
const fallback = new AsyncLocalStorage<Context>();

/**
 * Runs `fn` so that every model call started inside carries this user and conversation, also across
 * awaits. Nested calls merge: the innermost wins field by field, and `undefined` or `null` adds nothing. Lives in the OpenTelemetry Context,
 * never in baggage: nothing of it is sent anywhere.
 */
export function withUsageContext<T>(usage: UsageContext, fn: () => T): T {
  const active = activeContext();
  return runIn(setUsageContext(active, mergeUsage(usageContextOf(active), soundUsage(usage))), fn);
}

/** What a caller in JavaScript gave: of another type than declared it is nothing, and reported. */
export function soundUsage(given: unknown): UsageContext {
  if (given === undefined || given === null) return NO_USAGE_CONTEXT;
  if (typeof given !== 'object') return unsound('a usage context', given);
  const { attributes } = given as { readonly attributes?: unknown };
  if (attributes === undefined || typeof attributes === 'object') {
    return attributes === null ? { ...given, attributes: undefined } : given;
  }
  unsound('attributes', attributes);
  return { ...given, attributes: undefined };
}

function unsound(what: string, given: unknown): UsageContext {
  warnOnce(`usage ${what}`, `${what} of type ${typeof given} is left out; allowed is an object`);
  return NO_USAGE_CONTEXT;
}

/** `over` wins where it names something; attributes merge key by key. */
export function mergeUsage(under: UsageContext, over: UsageContext): UsageContext {
  if (over === NO_USAGE_CONTEXT) return under;
  if (under === NO_USAGE_CONTEXT) return over;
  return {
    userId: over.userId ?? under.userId,
    conversationId: over.conversationId ?? under.conversationId,
    attributes:
      under.attributes === undefined || over.attributes === undefined
        ? (over.attributes ?? under.attributes)
        : { ...under.attributes, ...over.attributes },
  };
}

export function setUsageContext(onto: Context, usage: UsageContext): Context {
  return onto.setValue(USAGE, usage);
}

export function usageContextOf(from: Context): UsageContext {
  return (from.getValue(USAGE) as UsageContext | undefined) ?? NO_USAGE_CONTEXT;
}

export function activeContext(): Context {
  const active = context.active();
  return active === ROOT_CONTEXT ? (fallback.getStore() ?? active) : active;
}

/** Runs `fn` with `next` as the active Context, with or without a context manager. */
export function runIn<T>(next: Context, fn: () => T): T {
  return context.with(next, () => (context.active() === next ? fn() : fallback.run(next, fn)));
}
