import { deliver, DELIVER_WITHIN_MS, type DeliverOptions } from '../metering-in-force.ts';

/** Left of the time that a function may run, for its reply to be sent. */
const RESERVED_MS = 100;

/**
 * Wraps the handler of a serverless function, which is stopped as soon as it has replied: the reply, or
 * the error, is handed on after `deliver()`. An async handler and one that takes a callback in third
 * place (Node.js 22 and older on AWS Lambda) keep their form; a `getRemainingTimeInMillis()` of an
 * argument bounds the time. `timeoutMs` defaults to 3000.
 */
export function deliverAfter<F extends (...args: never[]) => unknown>(
  handler: F,
  options: DeliverOptions = {},
): F {
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    const delivered = async (): Promise<void> => await deliver(within(options, args));
    const callback = args[2];
    if (handler.length >= 3 && typeof callback === 'function') {
      args[2] = async (...reply: unknown[]): Promise<void> => {
        await delivered();
        Reflect.apply(callback, undefined, reply);
      };
    }
    const reply: unknown = Reflect.apply(handler, this, args);
    return isThenable(reply) ? settled(reply, delivered) : reply;
  };
  return wrapped as unknown as F;
}

async function settled(
  reply: PromiseLike<unknown>,
  delivered: () => Promise<void>,
): Promise<unknown> {
  try {
    return await reply;
  } finally {
    await delivered();
  }
}

interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

function within(options: DeliverOptions, args: readonly unknown[]): DeliverOptions {
  const context = args.find(isLambdaContext);
  if (context === undefined) return options;
  const left = Math.max(0, context.getRemainingTimeInMillis() - RESERVED_MS);
  return { timeoutMs: Math.min(left, options.timeoutMs ?? DELIVER_WITHIN_MS) };
}

function isLambdaContext(given: unknown): given is LambdaContext {
  const { getRemainingTimeInMillis } = (given ?? {}) as Partial<LambdaContext>;
  return typeof getRemainingTimeInMillis === 'function';
}

function isThenable(given: unknown): given is PromiseLike<unknown> {
  return typeof (given as Partial<PromiseLike<unknown>> | undefined)?.then === 'function';
}
