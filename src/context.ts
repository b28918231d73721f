import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import type { UsageContext } from './domain/usage-context.ts';
import { quietly, warnOnce } from './host/quietly.ts';

const USAGE = createContextKey('otel-token-meter usage context');
export const NO_USAGE_CONTEXT: UsageContext = {};

const sources: ((active: Context) => Context)[] = [];

const FALLBACK = Symbol.for('otel-token-meter.context');
const shared = globalThis as { [FALLBACK]?: AsyncLocalStorage<Context> };

/**
 * Holds the Context when no OpenTelemetry context manager is registered. A bundle may have a copy of this
 * package of its own beside that of the preload: what one sets the other reads.
 */
const fallback = (shared[FALLBACK] ??= new AsyncLocalStorage<Context>());

/**
 * Runs `fn` with a user, conversation, team and dimensions that apply to every model call started in it, also across
 * awaits. Nested contexts merge; the innermost value of a field wins, and `undefined`, `null` or
 * `''` adds nothing. The values live in the OpenTelemetry Context, not in baggage, and are never sent anywhere.
 */
export function withUsageContext<T>(usage: UsageContext, fn: () => T): T {
  const active = activeContext();
  return runIn(setUsageContext(active, mergeUsage(usageContextOf(active), soundUsage(usage))), fn);
}

/** Checks what a JavaScript caller passed: anything but an object is reported and left out. */
export function soundUsage(given: unknown): UsageContext {
  if (given === undefined || given === null) return NO_USAGE_CONTEXT;
  if (typeof given !== 'object') return unsound('a usage context', given);
  let sound: UsageContext = given;
  for (const member of ['attributes', 'dimensions'] as const) {
    const value: unknown = sound[member];
    if (value === undefined || (typeof value === 'object' && value !== null)) continue;
    if (value !== null) unsound(member, value);
    sound = { ...sound, [member]: undefined };
  }
  return sound;
}

function unsound(what: string, given: unknown): UsageContext {
  warnOnce(`usage ${what}`, `${what} of type ${typeof given} is left out; allowed is an object`);
  return NO_USAGE_CONTEXT;
}

/** Merges two contexts. Fields set in `over` win; dimensions and attributes merge by key. */
export function mergeUsage(under: UsageContext, over: UsageContext): UsageContext {
  if (over === NO_USAGE_CONTEXT) return under;
  if (under === NO_USAGE_CONTEXT) return over;
  return {
    userId: isGiven(over.userId) ? over.userId : under.userId,
    conversationId: isGiven(over.conversationId) ? over.conversationId : under.conversationId,
    team: isGiven(over.team) ? over.team : under.team,
    dimensions: mergeByKey(under.dimensions, over.dimensions, isGiven),
    attributes: mergeByKey(under.attributes, over.attributes, isValue),
  };
}

/** An empty text names nobody. */
function isGiven(value: unknown): boolean {
  return isValue(value) && value !== '';
}

function isValue(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** As with the fields, values that are not given add nothing. An attribute may be an empty text. */
function mergeByKey<V>(
  under: Readonly<Record<string, V>> | undefined,
  over: Readonly<Record<string, V>> | undefined,
  adds: (value: V) => boolean,
): Readonly<Record<string, V>> | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  const merged = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (adds(value)) merged[key] = value;
  }
  return merged;
}

export function setUsageContext(onto: Context, usage: UsageContext): Context {
  return onto.setValue(USAGE, usage);
}

export function usageContextOf(from: Context): UsageContext {
  return (from.getValue(USAGE) as UsageContext | undefined) ?? NO_USAGE_CONTEXT;
}

/**
 * The active Context. What was set before the application's SDK, and with it a context manager, was
 * started stays in force: the manager knows nothing of it.
 */
export function activeContext(): Context {
  const active = ownContext();
  return sources.length === 0
    ? active
    : sources.reduce(
        (found, source) => quietly('finding a step', () => source(found)) ?? found,
        active,
      );
}

/** Team of the calls that begin in the active Context, as the application gave it. */
export function activeTeam(): unknown {
  return usageContextOf(activeContext()).team;
}

/** For an SDK that keeps the step it is in by itself: `source` adds that to what is active otherwise. */
export function addContextSource(source: (active: Context) => Context): void {
  sources.push(source);
}

function ownContext(): Context {
  const active = context.active();
  const held = fallback.getStore();
  if (held === undefined || active.getValue(USAGE) !== undefined) return active;
  if (isRoot(active)) return held;
  const usage = usageContextOf(held);
  return usage === NO_USAGE_CONTEXT ? active : setUsageContext(active, usage);
}

/** The ESM and CommonJS copies of the API have a root each. */
function isRoot(active: Context): boolean {
  const { _currentContext: values } = active as { readonly _currentContext?: unknown };
  return active === ROOT_CONTEXT || (values instanceof Map && values.size === 0);
}

/** Runs `fn` with `next` as the active Context, with or without a context manager. */
export function runIn<T>(next: Context, fn: () => T): T {
  return context.with(next, () => (context.active() === next ? fn() : fallback.run(next, fn)));
}
