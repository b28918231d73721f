import { BudgetExceededError } from '../budgets/budget-exceeded-error.ts';
import { ChatCall } from '../call/chat-call.ts';
import { mayShare } from '../call/followed.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import { quietly } from '../host/quietly.ts';
import {
  activeContext,
  mergeUsage,
  setUsageContext,
  soundUsage,
  usageContextOf,
} from '../context.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import { callMeterByHand } from '../metering-in-force.ts';
import { TokenMeterError } from '../errors.ts';
import { idFrom } from '../domain/id-from.ts';
import { refusedStream } from '../providers/refused-call.ts';
import { isObject } from '../tokens/json.ts';
import type { UsageAttributeValue } from '../domain/usage-record.ts';
import { observeResult } from './observe-result.ts';
import { find, findInResult, type Source } from './source.ts';
import { wrappedShape } from './wrapped-shape.ts';

export interface MeterChatOptions {
  /** `gen_ai.provider.name`; a text that leads nowhere is taken as the name. @default 'unknown' */
  readonly provider?: Source<string>;
  /** @default ['model_name', 'model'] */
  readonly model?: Source<string>;
  /** @default ['user_id', 'userId'] */
  readonly userId?: Source<string>;
  /** @default ['conversation_id', 'conversationId'] */
  readonly conversationId?: Source<string>;
  /** @default 'team' */
  readonly team?: Source<string>;
  /** Values of the configured dimensions by name, or a place for each: `{ feature: 'body.feature' }`. */
  readonly dimensions?:
    | Source<Readonly<Record<string, string | undefined>>>
    | Readonly<Record<string, Source<string>>>;
  /** Chat messages or one text, for counting. @default 'messages' */
  readonly messages?: Source;
  /** The answer's text; of a stream, the text in one chunk. @default ['response', 'response_text'] */
  readonly response?: Source;
  /**
   * Token counts as this package, the AI SDK, chat completions, responses or Anthropic name them.
   * @default 'usage'
   */
  readonly usage?: Source;
  /** Extra tags and fields. */
  readonly attributes?: Source<Readonly<Record<string, UsageAttributeValue>>>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any function of the caller
type AnyFunction = (this: any, ...args: any[]) => any;

/** A method decorator of TC39 (stage 3). */
export type MeterChatDecorator = <F extends AnyFunction>(
  method: F,
  context: ClassMethodDecoratorContext,
) => F;

const DEFAULTS = {
  model: ['model_name', 'model'],
  userId: ['user_id', 'userId'],
  conversationId: ['conversation_id', 'conversationId'],
  team: 'team',
  messages: 'messages',
  response: ['response', 'response_text'],
  usage: 'usage',
} as const satisfies MeterChatOptions;

/**
 * Meters a function that makes one chat call: sync or async, returning text, an object or a stream. What
 * it returns, throws and when stays as it was. SDK calls inside that are metered themselves get its user,
 * conversation, team and dimensions; one of the same kind and model makes the record in its place.
 *
 * As a decorator: `@meterChat({ userId: 'body.user.id' })`. Throws `TokenMeterError` `INVALID_OPTION`
 * for wrong options.
 */
export function meterChat<F extends AnyFunction>(fn: F, options?: MeterChatOptions): F;
export function meterChat<F extends AnyFunction>(
  method: F,
  context: ClassMethodDecoratorContext,
): F;
export function meterChat(options?: MeterChatOptions): MeterChatDecorator;
export function meterChat(
  first: AnyFunction | MeterChatOptions = {},
  second: MeterChatOptions | ClassMethodDecoratorContext = {},
): AnyFunction {
  if (typeof first !== 'function') {
    const options = checked(first);
    return (method: AnyFunction) => wrap(method, options);
  }
  return wrap(first, isDecoratorContext(second) ? {} : checked(second));
}

function isDecoratorContext(value: object): value is ClassMethodDecoratorContext {
  return 'kind' in value && 'addInitializer' in value;
}

/** Options without a default. */
const OTHERS: readonly string[] = [
  'provider',
  'dimensions',
  'attributes',
] satisfies (keyof MeterChatOptions)[];

function checked(options: MeterChatOptions): MeterChatOptions {
  for (const [name, source] of Object.entries(options)) {
    const known = name in DEFAULTS || OTHERS.includes(name);
    const sound =
      source === undefined ||
      isSource(source) ||
      (name === 'dimensions' && isObject(source) && Object.values(source).every(isSource));
    if (known && sound) continue;
    throw new TokenMeterError(
      'INVALID_OPTION',
      known
        ? `meterChat: ${name} is no key path or function`
        : `meterChat: there is no option ${name}`,
      {
        value: known ? source : name,
        allowed: known
          ? 'a key path, a list of key paths, or a function (args, result) => value'
          : [...Object.keys(DEFAULTS), ...OTHERS].join(', '),
      },
    );
  }
  return options;
}

function wrap(fn: AnyFunction, options: MeterChatOptions): AnyFunction {
  if (typeof fn !== 'function') {
    throw new TokenMeterError('INVALID_OPTION', 'meterChat: what is to be metered is no function', {
      value: typeof fn,
      allowed: 'a function',
    });
  }
  const metered = function (this: unknown, ...args: unknown[]): unknown {
    const wrapped = quietly('starting a call', () => start(args, options));
    if (wrapped === undefined) return fn.apply(this, args) as unknown;
    const { call, onValue } = wrapped;
    if (call.refusal !== undefined) return refused(fn, new BudgetExceededError(call.refusal));
    let result: unknown;
    try {
      result = call.run(() => fn.apply(this, args) as unknown);
    } catch (error) {
      call.failed(error);
      throw error;
    }
    return (
      quietly('watching a result', () => ({
        result: observeResult(result, { call, onValue, isShared: mayShare(fn) }),
      })) ?? { result }
    ).result;
  };
  Object.defineProperties(metered, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
  return metered;
}

/** As a function of this kind fails: a promise that rejects, a generator that throws when it is read. */
function refused(fn: AnyFunction, error: BudgetExceededError): unknown {
  const kind = Object.prototype.toString.call(fn);
  if (kind === '[object AsyncFunction]') return Promise.reject(error);
  if (kind === '[object AsyncGeneratorFunction]') return refusedStream(error);
  throw error;
}

function start(args: readonly unknown[], given: MeterChatOptions) {
  const calls = callMeterByHand();
  if (calls === undefined) return undefined;
  const options = { ...DEFAULTS, ...given };
  let result: unknown;
  let streamed = false;

  const identity = (): UsageContext =>
    soundUsage({
      userId: idFrom(find(options.userId, args, result)),
      conversationId: idFrom(find(options.conversationId, args, result)),
      team: idFrom(find(options.team, args, result)),
      dimensions: dimensionsOf(options.dimensions, args, result),
      attributes:
        options.attributes === undefined ? undefined : find(options.attributes, args, result),
    });
  const active = activeContext();
  const lent = mergeUsage(usageContextOf(active), identity());
  const model = (): string | undefined => idFrom(find(options.model, args, result));
  const recorded = calls.start({
    provider: providerOf(options.provider, args),
    shape: wrappedShape({
      text: (part) => findInResult(options.response, args, part),
      usage: (part) => findInResult(options.usage, args, part),
    }),
    request: { messages: find(options.messages, args), tools: find('tools', args) },
    model: model(),
    usageContext: lent,
    byHand: true,
    wrapper: {
      name: 'meter-chat',
      amend: (ended: EndedCall): EndedCall => ({
        ...ended,
        facts: { ...ended.facts, model: model(), stream: streamed },
        usageContext: mergeUsage(ended.usageContext, identity()),
      }),
    },
  });
  return {
    // Whether the calls inside are recorded is asked of this team, too.
    call: recorded ?? new ChatCall(undefined, setUsageContext(active, lent)),
    onValue: (value: unknown, isStream: boolean): void => {
      result = isStream ? undefined : value;
      streamed = isStream;
    },
  };
}

function isSource(value: unknown): value is Source {
  return (
    typeof value === 'string' ||
    typeof value === 'function' ||
    (Array.isArray(value) && value.every((path) => typeof path === 'string'))
  );
}

function dimensionsOf(
  given: MeterChatOptions['dimensions'],
  args: readonly unknown[],
  result: unknown,
): unknown {
  if (given === undefined) return undefined;
  // What is no object is reported where contexts are checked.
  if (isSource(given)) return find(given, args, result);
  return Object.fromEntries(
    Object.entries(given).map(([name, source]) => [name, idFrom(find(source, args, result))]),
  );
}

function providerOf(source: Source<string> | undefined, args: readonly unknown[]): string {
  if (source === undefined) return 'unknown';
  return idFrom(find(source, args)) ?? (typeof source === 'string' ? source : 'unknown');
}
